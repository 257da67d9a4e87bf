import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createRootHandle, FileSystemObserver } from '../../src/file-system/index.ts';
import type { FileSystemChangeRecord, FileSystemDirectoryHandle, FileSystemHandle } from '../../src/file-system/index.ts';
import { atEnd, makeFile, openBucket, openFileSystem, openRoot, outcome, temporaryDirectory, thrown, until, writeFile } from './support.ts';

/** An observer and what it was told, as short text: `moved d/b <- d/a`. */
class Told {
  readonly records: FileSystemChangeRecord[] = [];
  readonly calls: number[] = [];
  readonly observer = new FileSystemObserver((records) => {
    this.calls.push(records.length);
    this.records.push(...records);
  });

  constructor() {
    atEnd(() => this.observer.disconnect());
  }

  get texts(): string[] {
    return this.records.map((record) => {
      const from = record.relativePathMovedFrom;
      const text = `${record.type} ${record.relativePathComponents.join('/')}`;
      return from === null ? text : `${text} <- ${from.join('/')}`;
    });
  }
}

async function observing(handle: FileSystemHandle, options = {}): Promise<Told> {
  const told = new Told();
  await told.observer.observe(handle, options);
  return told;
}

let marks = 0;

/** Resolves when everything that has happened up to now has been delivered: a later change elsewhere was. */
async function delivered(root: FileSystemDirectoryHandle): Promise<void> {
  const directory = await root.getDirectoryHandle(`mark-${(marks += 1)}`, { create: true });
  const mark = await observing(directory);
  await directory.getFileHandle('mark', { create: true });
  await until(() => mark.records.length > 0);
}

/** What an observer of `d` is told while `act` happens. */
async function whatIsTold(
  options: { recursive?: boolean },
  act: (root: FileSystemDirectoryHandle, d: FileSystemDirectoryHandle) => Promise<unknown>,
): Promise<string[]> {
  const root = openRoot();
  const d = await root.getDirectoryHandle('d', { create: true });
  await makeFile(await d.getDirectoryHandle('e', { create: true }), 'deep', 'x');
  await makeFile(d, 'a', 'x');
  await makeFile(root, 'outside', 'x');
  const told = await observing(d, options);
  await act(root, d);
  await delivered(root);
  return told.texts;
}

type Act = Parameters<typeof whatIsTold>[1];

describe('an observer of a directory', () => {
  const direct: [string, Act, string[]][] = [
    ['a new file', (_, d) => d.getFileHandle('b', { create: true }), ['appeared b']],
    ['a new directory', (_, d) => d.getDirectoryHandle('b', { create: true }), ['appeared b']],
    ['a file that is there already', (_, d) => d.getFileHandle('a', { create: true }), []],
    ['a file that is replaced', async (_, d) => writeFile(await d.getFileHandle('a'), 'new'), ['modified a']],
    ['a removed file', (_, d) => d.removeEntry('a'), ['disappeared a']],
    ['a removed directory', (_, d) => d.removeEntry('e', { recursive: true }), ['disappeared e']],
    ['a removal that fails', (_, d) => outcome(d.removeEntry('e')), []],
    ['a move inside', async (_, d) => (await d.getFileHandle('a')).move('b'), ['moved b <- a']],
    ['a move to its own name', async (_, d) => (await d.getFileHandle('a')).move('a'), []],
    ['a move out', async (root, d) => (await d.getFileHandle('a')).move(root), ['disappeared a']],
    ['a move in', async (root, d) => (await root.getFileHandle('outside')).move(d, 'b'), ['appeared b']],
    ['a move elsewhere', async (root) => (await root.getFileHandle('outside')).move('other'), []],
    ['its own removal', (root) => root.removeEntry('d', { recursive: true }), ['disappeared ']],
    ['its own move', (_, d) => d.move('other'), ['disappeared ']],
    ['the removal of everything', (root) => root.remove(), ['disappeared ']],
    [
      'a write that is aborted',
      async (_, d) => {
        const writable = await (await d.getFileHandle('a')).createWritable();
        await writable.write('x');
        await writable.abort();
      },
      [],
    ],
  ];
  test.each(direct)('is told of %s', async (_, act, expected) => {
    expect(await whatIsTold({}, act)).toEqual(expected);
    expect(await whatIsTold({ recursive: true }, act)).toEqual(expected);
  });

  const deep: [string, Act, string[], string[]][] = [
    ['a deep change', async (_, d) => writeFile(await (await d.getDirectoryHandle('e')).getFileHandle('deep'), 'y'), [], ['modified e/deep']],
    ['a move from the deep', async (_, d) => (await (await d.getDirectoryHandle('e')).getFileHandle('deep')).move(d), ['appeared deep'], ['moved deep <- e/deep']],
    ['a move into the deep', async (_, d) => (await d.getFileHandle('a')).move(await d.getDirectoryHandle('e')), ['disappeared a'], ['moved e/a <- a']],
  ];
  test.each(deep)('is told of %s as it asked to be', async (_, act, shallow, recursive) => {
    expect(await whatIsTold({}, act)).toEqual(shallow);
    expect(await whatIsTold({ recursive: true }, act)).toEqual(recursive);
  });

  test('is told when it comes back, made anew or moved into place', async () => {
    const root = openRoot();
    const d = await root.getDirectoryHandle('d', { create: true });
    const told = await observing(d);
    await d.remove();
    await root.getDirectoryHandle('d', { create: true });
    await (await root.getDirectoryHandle('other', { create: true })).move('d2');
    await d.getFileHandle('a', { create: true });
    await delivered(root);
    expect(told.texts).toEqual(['disappeared ', 'appeared ', 'appeared a']);
  });

  test('is told of what befalls the directories above it', async () => {
    const root = openRoot();
    const outer = await root.getDirectoryHandle('outer', { create: true });
    const told = await observing(await outer.getDirectoryHandle('inner', { create: true }));
    await outer.move('away');
    await outer.move('outer');
    await outer.remove({ recursive: true });
    await delivered(root);
    expect(told.texts).toEqual(['disappeared ', 'appeared ', 'disappeared ']);
  });

  test('of the root of the bucket is told to look again when that is emptied', async () => {
    const root = openRoot();
    await makeFile(root, 'a');
    const told = await observing(root);
    await root.remove();
    await until(() => told.records.length > 0);
    expect(told.texts).toEqual(['unknown ']);
  });
});

describe('a record', () => {
  test('has handles of the root and of what has changed, if that is there', async () => {
    const root = openRoot();
    const told = await observing(root, { recursive: true });
    const file = await makeFile(await root.getDirectoryHandle('d', { create: true }), 'a', 'x');
    await file.move('b');
    await file.remove();
    await until(() => told.records.length === 5);
    expect(told.texts).toEqual(['appeared d', 'appeared d/a', 'modified d/a', 'moved d/b <- d/a', 'disappeared d/b']);
    for (const record of told.records) expect(await record.root.isSameEntry(root)).toBe(true);
    expect(told.records.map((record) => record.changedHandle?.kind)).toEqual(['directory', 'file', 'file', 'file', undefined]);
    expect(await root.resolve(told.records[3]?.changedHandle ?? root)).toEqual(['d', 'b']);
  });

  test('of a file has an empty path', async () => {
    const root = openRoot();
    const file = await makeFile(root, 'a', 'x');
    const told = await observing(file);
    await writeFile(file, 'y');
    await makeFile(root, 'b');
    await file.remove();
    await delivered(root);
    expect(told.texts).toEqual(['modified ', 'disappeared ']);
  });
});

describe('a sync access handle', () => {
  test('is told of once for each write and truncate, where someone observes', async () => {
    const root = openRoot();
    const file = await makeFile(root, 'a', 'x');
    const told = await observing(file);
    const handle = await file.createSyncAccessHandle();
    handle.read(new Uint8Array(1));
    handle.write(new Uint8Array(3));
    handle.write(new Uint8Array(3));
    handle.truncate(1);
    handle.getSize();
    handle.flush();
    handle.close();
    await delivered(root);
    expect(told.texts).toEqual(['modified ', 'modified ', 'modified ']);
  });

  test('of another realm is told of at its flush, at its close, and soon in any case', async () => {
    const directory = temporaryDirectory();
    const [mine, others] = [openRoot(openBucket(directory)), openRoot(openBucket(directory))];
    const handle = await (await makeFile(others, 'a', 'x')).createSyncAccessHandle();
    const told = await observing(mine);
    handle.write(new Uint8Array(3));
    handle.write(new Uint8Array(3));
    handle.flush();
    await until(() => told.records.length === 1);
    handle.write(new Uint8Array(3));
    await until(() => told.records.length === 2);
    handle.write(new Uint8Array(3));
    handle.close();
    await until(() => told.records.length === 3);
    expect(new Set(told.texts)).toEqual(new Set(['modified a']));
  });
});

test('changes by other realms are told, in their order', async () => {
  const directory = temporaryDirectory();
  const [mine, others] = [openRoot(openBucket(directory)), openRoot(openBucket(directory))];
  await makeFile(mine, 'first');
  const told = await observing(mine);
  const file = await makeFile(others, 'a', 'x');
  await file.move('b');
  await mine.removeEntry('first');
  await others.removeEntry('b');
  await until(() => told.records.length === 5);
  expect(told.texts).toEqual(['appeared a', 'modified a', 'moved b <- a', 'disappeared first', 'disappeared b']);
});

describe('observe, unobserve and disconnect', () => {
  test('observing what is not there is NotFoundError', async () => {
    const root = openRoot();
    const file = await makeFile(root, 'a');
    await file.remove();
    const { observer } = new Told();
    expect(await outcome(observer.observe(file))).toBe('NotFoundError');
    await root.getDirectoryHandle('a', { create: true });
    expect(await outcome(observer.observe(file))).toBe('NotFoundError');
  });

  test('unobserve and disconnect are harmless without observe, and twice', async () => {
    const root = openRoot();
    const { observer } = new Told();
    observer.unobserve(root);
    observer.disconnect();
    observer.disconnect();
    await observer.observe(root);
    observer.unobserve(root);
    observer.unobserve(root);
  });

  test('unobserve stops one place, by any handle of it', async () => {
    const root = openRoot();
    const [d, e] = [await root.getDirectoryHandle('d', { create: true }), await root.getDirectoryHandle('e', { create: true })];
    const told = await observing(d);
    await told.observer.observe(e);
    told.observer.unobserve(await root.getDirectoryHandle('d'));
    await makeFile(d, 'a');
    await e.getFileHandle('b', { create: true });
    await delivered(root);
    expect(told.texts).toEqual(['appeared b']);
  });

  test('a place that is observed twice is told of once, as was asked last', async () => {
    const root = openRoot();
    const d = await root.getDirectoryHandle('d', { create: true });
    const told = await observing(root);
    await told.observer.observe(root, { recursive: true });
    await d.getFileHandle('a', { create: true });
    await delivered(root);
    expect(told.texts.filter((text) => text.includes('d/a'))).toEqual(['appeared d/a']);
  });

  test('after disconnect nothing comes, not even what was waiting, nor from an observe under way', async () => {
    const root = openRoot();
    const told = await observing(root);
    const other = new Told();
    const observe = other.observer.observe(root);
    other.observer.disconnect();
    await observe;
    await root.getFileHandle('a', { create: true });
    told.observer.disconnect();
    await root.getFileHandle('b', { create: true });
    await delivered(root);
    expect([...told.texts, ...other.texts]).toEqual([]);
  });

  test('disconnect in the callback is the end', async () => {
    const root = openRoot();
    const d = await root.getDirectoryHandle('d', { create: true });
    let records = 0;
    let calls = 0;
    const observer = new FileSystemObserver((batch, self) => {
      expect(self).toBe(observer);
      calls += 1;
      records += batch.length;
      self.disconnect();
    });
    await observer.observe(d);
    await Promise.all(Array.from({ length: 200 }, (_, index) => d.getFileHandle(`${index}`, { create: true })));
    await delivered(root);
    expect(calls).toBe(1);
    expect(records).toBeLessThanOrEqual(200);
  });

  test('a closed client observes nothing more', async () => {
    const bucket = openBucket();
    const system = openFileSystem(bucket);
    const told = await observing(createRootHandle(system));
    await system.close();
    const other = openRoot(bucket);
    await other.getFileHandle('a', { create: true });
    await delivered(other);
    expect(told.texts).toEqual([]);
    expect(await outcome(told.observer.observe(createRootHandle(system)))).toBe('InvalidStateError');
  });

  test('wrong arguments are TypeErrors', async () => {
    const { observer } = new Told();
    const Constructor = FileSystemObserver as unknown as new (...args: unknown[]) => FileSystemObserver;
    expect(thrown(() => new Constructor())).toBe('TypeError');
    expect(thrown(() => new Constructor({}))).toBe('TypeError');
    expect(await outcome(observer.observe({} as never))).toBe('TypeError');
    expect(await outcome(observer.observe(openRoot(), 1 as never))).toBe('TypeError');
    expect(thrown(() => observer.unobserve({} as never))).toBe('TypeError');
    expect(thrown(() => observer.disconnect.call({} as never))).toBe('TypeError');
  });
});

describe('the callback', () => {
  test('gets what comes quickly together, in a task of its own', async () => {
    const root = openRoot();
    const told = await observing(root);
    const creations = Array.from({ length: 20 }, (_, index) => root.getFileHandle(`${index}`, { create: true }));
    expect(told.calls).toEqual([]);
    await Promise.all(creations);
    await until(() => told.records.length === 20);
    expect(told.calls.length).toBeLessThan(20);
  });

  test('runs in the asynchronous context in which the observer was made', async () => {
    const context = new AsyncLocalStorage<string>();
    const root = openRoot();
    const seen: (string | undefined)[] = [];
    const observers = ['first tenant', 'second tenant'].map((tenant) =>
      context.run(tenant, () => new FileSystemObserver(() => seen.push(context.getStore()))),
    );
    for (const observer of observers) await observer.observe(root);
    await context.run('third tenant', () => root.getFileHandle('a', { create: true }));
    await until(() => seen.length === 2);
    expect(seen).toEqual(['first tenant', 'second tenant']);
    for (const observer of observers) observer.disconnect();
  });

  describe('that throws', () => {
    test('is reported, and keeps nothing from other observers', async () => {
      const reported: unknown[] = [];
      // The test runner listens too, and would call it a failure.
      const listeners = process.listeners('uncaughtException');
      process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => reported.push(error));
      onTestFinished(() => {
        process.removeAllListeners('uncaughtException');
        for (const listener of listeners) process.on('uncaughtException', listener);
      });
      const root = openRoot();
      const failing = new FileSystemObserver(() => {
        throw new Error('mine');
      });
      await failing.observe(root);
      const told = await observing(root);
      await root.getFileHandle('a', { create: true });
      await until(() => told.records.length === 1 && reported.length === 1);
      failing.disconnect();
      expect(reported).toEqual([new Error('mine')]);
    });
  });
});
