import fs from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createRootHandle } from '../../src/file-system/index.ts';
import { isEncrypted } from '../support/sealed.ts';
import { makeFile, namesIn, openBucket, openDescriptors, openFileSystem, openRoot, outcome, textOf, writeFile } from './support.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

type Call = 'open' | 'write' | 'rename' | 'unlink' | 'mkdir' | 'ftruncate';

/** Whether a call is about one of the bucket's journals, whose faults are another matter. */
function isOfJournal(first: unknown): boolean {
  const path = typeof first === 'number' ? fs.readlinkSync(`/proc/self/fd/${first}`) : String(first);
  return path.includes('/locks/') || path.includes('/quota/');
}

/** Lets a system call fail in all its forms. */
function failing(name: Call, code: string): void {
  const failure = (): Error => Object.assign(new Error(`${code}: injected, ${name}`), { code, errno: -1, syscall: name });
  const sync = `${name}Sync` as 'openSync';
  const real = fs[sync].bind(fs);
  vi.spyOn(fs, sync).mockImplementation((...args: Parameters<typeof real>) => {
    if (isOfJournal(args[0])) return real(...args);
    throw failure();
  });
  vi.spyOn(fs, name as 'rename').mockImplementation(((...args: unknown[]) => {
    (args.at(-1) as (error: Error) => void)(failure());
  }) as never);
  if (name in fs.promises) vi.spyOn(fs.promises, name as 'rename').mockImplementation(() => Promise.reject(failure()));
}

const codes: [string, string][] = [
  ['ENOSPC', 'QuotaExceededError'],
  ['EDQUOT', 'QuotaExceededError'],
  ['EROFS', 'NoModificationAllowedError'],
  ['EACCES', 'NoModificationAllowedError'],
  ['EMFILE', 'InvalidStateError'],
  ['EIO', 'UnknownError'],
];

describe.each(codes)('when the disk says %s, the web is told %s', (code, name) => {
  async function expectFailure(promise: Promise<unknown>, path: string): Promise<void> {
    const error: unknown = await promise.then(
      () => null,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(DOMException);
    expect((error as DOMException).name).toBe(name);
    expect((error as DOMException).message).toContain(path);
    expect((error as DOMException).message).not.toContain(code);
    expect((error as Error).cause).toMatchObject({ code });
  }

  test('by getFileHandle and getDirectoryHandle', async () => {
    const root = openRoot();
    await makeFile(root, 'kept', 'content');
    failing('open', code);
    failing('mkdir', code);
    await expectFailure(root.getFileHandle('a', { create: true }), '/a');
    await expectFailure(root.getDirectoryHandle('b', { create: true }), '/b');
    vi.restoreAllMocks();
    expect(await namesIn(root)).toEqual(['kept']);
    await root.getFileHandle('a', { create: true });
  });

  test('by a writable, whose file keeps its content and is free again', async () => {
    const root = openRoot();
    const file = await makeFile(root, 'file', 'old');
    const before = openDescriptors();
    failing('open', code);
    expect(await outcome(file.createWritable())).toBe(name);
    vi.restoreAllMocks();
    // What is encrypted is written when a block of it is there, or the file is closed.
    for (const size of isEncrypted ? [1_000_000] : [10, 1_000_000]) {
      const writable = await file.createWritable({ mode: 'exclusive' });
      failing('write', code);
      await expectFailure(writable.write('x'.repeat(size)), '/file');
      vi.restoreAllMocks();
    }
    const truncated = await file.createWritable({ mode: 'exclusive' });
    failing(isEncrypted ? 'write' : 'ftruncate', code);
    await expectFailure(truncated.truncate(5), '/file');
    vi.restoreAllMocks();
    const closed = await file.createWritable({ mode: 'exclusive' });
    await closed.write('new');
    failing('rename', code);
    await expectFailure(closed.close(), '/file');
    vi.restoreAllMocks();
    expect(await textOf(file)).toBe('old');
    expect(openDescriptors()).toBe(before);
    await writeFile(file, 'new');
    expect(await textOf(file)).toBe('new');
  });

  test('by nobody who aborts a writable, whose file is free again', async () => {
    const file = await makeFile(openRoot(), 'file', 'old');
    const writable = await file.createWritable({ mode: 'exclusive' });
    for (const name of ['rmSync', 'unlinkSync'] as const) {
      vi.spyOn(fs, name).mockImplementation(() => {
        throw Object.assign(new Error(`${code}: injected`), { code });
      });
    }
    await writable.abort();
    vi.restoreAllMocks();
    await (await file.createWritable({ mode: 'exclusive' })).abort();
  });

  test('by move and removeEntry, which change nothing', async () => {
    const root = openRoot();
    const file = await makeFile(root, 'file', 'content');
    failing('rename', code);
    failing('unlink', code);
    await expectFailure(file.move('other'), '/file');
    await expectFailure(file.remove(), '/file');
    vi.restoreAllMocks();
    expect(await textOf(file)).toBe('content');
    expect(await namesIn(root)).toEqual(['file']);
    await file.move('other');
    await file.remove();
  });
});

describe('the event loop', () => {
  async function turnsDuring(work: () => Promise<unknown>): Promise<number> {
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await work();
    isOver = true;
    return turns;
  }

  test('turns while small operations follow each other', async () => {
    const root = openRoot();
    await makeFile(root, 'file');
    const turns = await turnsDuring(async () => {
      // Ten pauses of 64 operations; the first and the last need not be whole turns of the counter.
      for (let count = 0; count < 650; count += 1) await root.getFileHandle('file');
    });
    expect(turns).toBeGreaterThanOrEqual(8);
  });

  test('turns while a directory is read, and while small chunks are piped', async () => {
    const root = createRootHandle(openFileSystem(openBucket()));
    for (let count = 0; count < 4000; count += 1) await root.getFileHandle(`${count}`, { create: true });
    expect(await turnsDuring(() => namesIn(root))).toBeGreaterThanOrEqual(3);
    let left = 640;
    const source = new ReadableStream<string>({
      pull: (controller) => ((left -= 1) < 0 ? controller.close() : controller.enqueue('x')),
    });
    const writable = await (await root.getFileHandle('0')).createWritable();
    expect(await turnsDuring(() => source.pipeTo(writable))).toBeGreaterThanOrEqual(9);
  });
});
