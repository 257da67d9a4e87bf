import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Locator } from '../../src/disk/locator.ts';
import { encodeName } from '../../src/disk/names/name.ts';
import { FileTree } from '../../src/disk/tree/file-tree.ts';
import { weigh } from './support.ts';
import { TreeError } from '../../src/disk/tree/tree-error.ts';

let home: string;
let bucket: string;
let base: string;
let outside: string;
let tree: FileTree;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-planted-'));
  bucket = path.join(home, 'bucket');
  base = path.join(bucket, 'files.0');
  outside = path.join(home, 'outside');
  fs.mkdirSync(outside);
  fs.writeFileSync(path.join(outside, 'secret'), 'secret');
  const ensure = (): void => {
    for (const name of ['files.0', 'swap', 'trash']) fs.mkdirSync(path.join(bucket, name), { recursive: true });
  };
  ensure();
  tree = new FileTree({ path: bucket, ensure }, { epoch: () => 0, session: 'session' });
});

// Trees may be deeper here than Node's own removal can reach.
afterEach(() => execFileSync('rm', ['-rf', home]));

const trash = (): string[] => fs.readdirSync(path.join(bucket, 'trash'));

/** Names, sizes, modes and contents outside the bucket; how many names a file has may change. */
function stateOutside(): unknown {
  return fs.readdirSync(outside).map((name) => {
    const { size, mode, ino } = fs.lstatSync(path.join(outside, name));
    return { name, size, mode, ino, text: fs.readFileSync(path.join(outside, name), 'utf8') };
  });
}

const operations: Record<string, (locator: Locator) => unknown> = {
  stat: (locator) => tree.stat(locator),
  file: (locator) => tree.file(locator),
  'open to read': (locator) => fs.closeSync(tree.open(locator)),
  'open to write': (locator) => {
    const { descriptor } = tree.openForWriting(locator, false);
    fs.writeSync(descriptor, 'overwritten');
    fs.closeSync(descriptor);
  },
  createFile: (locator) => tree.createFile(locator),
  createDirectory: (locator) => tree.createDirectory(locator),
  'createFile below': (locator) => tree.createFile([...locator, 'child']),
  entries: (locator) => [...tree.entries(locator)],
  swap: async (locator) => (await tree.swap(locator)).discard(),
  replace: async (locator) => {
    const swap = await tree.swap();
    fs.writeSync(swap.descriptor, 'replaced');
    await tree.replace(swap, locator);
  },
  'move onto': async (locator) => {
    tree.createFile(['mine']);
    await tree.move(['mine'], locator);
  },
  'move below': async (locator) => {
    tree.createFile(['mine']);
    await tree.move(['mine'], [...locator, 'moved']);
  },
  detach: (locator) => tree.detach(locator),
  'move away': (locator) => tree.move(locator, ['elsewhere']),
  remove: (locator) => tree.remove(locator),
};

const plants: Record<string, () => Locator> = {
  'a link to a directory': () => (fs.symlinkSync(outside, path.join(base, 'x')), ['x']),
  'a link on the way': () => (fs.symlinkSync(outside, path.join(base, 'x')), ['x', 'secret']),
  'a link to a file': () => (fs.symlinkSync(path.join(outside, 'secret'), path.join(base, 'x')), ['x']),
  'a link to what is not there yet': () => (fs.symlinkSync(path.join(outside, 'new'), path.join(base, 'x')), ['x']),
  'a link to itself': () => (fs.symlinkSync('x', path.join(base, 'x')), ['x']),
  'a pipe': () => (execFileSync('mkfifo', [path.join(base, 'x')]), ['x']),
};

describe.each(Object.entries(plants))('%s', (_, plant) => {
  test.each(Object.entries(operations))('is refused by %s', async (_operation, operate) => {
    const locator = plant();
    const before = stateOutside();
    await expect((async () => operate(locator))()).rejects.toMatchObject({ code: 'not-plain' } satisfies Partial<TreeError>);
    expect(stateOutside()).toEqual(before);
  });

  test('is no entry, and what removes everything around it does not follow it', async () => {
    plant();
    const before = stateOutside();
    expect([...tree.entries([])]).toEqual([]);
    // Whatever it leads to: it takes an entry.
    expect(weigh(bucket)).toBe(4096);
    tree.createDirectory(['around']);
    fs.renameSync(path.join(base, 'x'), path.join(base, 'around', 'x'));
    tree.remove(['around']);
    await vi.waitFor(() => expect(trash()).toEqual([]), { timeout: 30_000 });
    expect(stateOutside()).toEqual(before);
  });
});

describe('many directories deep', () => {
  const way = Array.from({ length: 12 }, (_, index) => `d${index}`);
  const deepPlants: Record<string, () => Locator> = {
    'a link on the way': () => (below(3, (at) => fs.symlinkSync(path.join(outside, 'tree'), at)), [...way, 'secret']),
    'a link to the root of all': () => (below(5, (at) => fs.symlinkSync(base, at)), [...way.slice(0, 6), ...way]),
    'a link for the parent': () => (below(11, (at) => fs.symlinkSync(outside, at)), [...way, 'secret']),
    'a link to a file': () => (below(12, (at) => fs.symlinkSync(path.join(outside, 'secret'), path.join(at, 'x'))), [...way, 'x']),
    'a pipe': () => (below(12, (at) => execFileSync('mkfifo', [path.join(at, 'x')])), [...way, 'x']),
  };

  /** Makes the way; what it has from a depth on is planted. */
  function below(depth: number, plant: (at: string) => void): void {
    const at = path.join(base, ...way.slice(0, depth + 1));
    fs.mkdirSync(depth === way.length ? at : path.dirname(at), { recursive: true });
    fs.mkdirSync(path.join(outside, 'tree', ...way.slice(4)), { recursive: true });
    fs.writeFileSync(path.join(outside, 'tree', ...way.slice(4), 'secret'), 'secret');
    plant(at);
  }

  const state = (): string => execFileSync('find', [outside, '-printf', '%P %y %i %m %s %l\n']).toString();

  describe.each(Object.entries(deepPlants))('%s', (_, plant) => {
    test.each(Object.entries(operations))('is refused by %s', async (_operation, operate) => {
      const locator = plant();
      const before = state();
      await expect((async () => operate(locator))()).rejects.toMatchObject({ code: 'not-plain' } satisfies Partial<TreeError>);
      expect(state()).toBe(before);
    });
  });
});

describe('a hard link to a file outside', () => {
  test.each(Object.entries(operations))('is not written through by %s', async (_, operate) => {
    fs.linkSync(path.join(outside, 'secret'), path.join(base, 'x'));
    const before = stateOutside();
    await (async () => operate(['x']))().catch((error: unknown) => expect(error).toBeInstanceOf(TreeError));
    expect(stateOutside()).toEqual(before);
  });
});

describe('where the spelling of a long name belongs', () => {
  const name = 'long '.repeat(60);
  const plant = (make: (at: string) => void): void => make(path.join(base, encodeName(name, false).long?.file ?? ''));

  test('a hard link to a file outside is not written through', () => {
    plant((at) => fs.linkSync(path.join(outside, 'secret'), at));
    const before = stateOutside();
    tree.createFile([name]);
    expect(stateOutside()).toEqual(before);
    expect([...tree.entries([])]).toEqual([[name, 'file']]);
  });

  test.each<[string, (at: string) => void]>([
    ['a link', (at) => fs.symlinkSync(path.join(outside, 'secret'), at)],
    ['a pipe', (at) => execFileSync('mkfifo', [at])],
    ['half a spelling', (at) => fs.writeFileSync(at, 'long lo')],
    ['another spelling', (at) => fs.writeFileSync(at, '../../../outside/secret')],
  ])('%s gives way', (_, make) => {
    plant(make);
    const before = stateOutside();
    tree.createFile([name]);
    expect(stateOutside()).toEqual(before);
    expect([...tree.entries([])]).toEqual([[name, 'file']]);
  });
});

describe('a tree that moves have made deeper than a path can be', () => {
  const part = 'd'.repeat(200);

  function chain(first: string): string[] {
    const locator = [first];
    for (let depth = 0; depth < 17; depth += 1) {
      tree.createDirectory(locator);
      locator.push(part);
    }
    tree.createDirectory(locator);
    return locator;
  }

  beforeEach(async () => {
    const upper = chain('upper');
    tree.createFile([...chain('lower'), 'leaf']);
    await tree.move(['lower'], [...upper, 'lower']);
    tree.createFile(['file']);
    fs.writeFileSync(path.join(base, 'file'), '12345');
  });

  test('does not keep the rest from being counted', async () => {
    expect(weigh(bucket) % 4096).toBe(5);
    expect(weigh(bucket)).toBeGreaterThan(18 * 4096);
  });

  test('gives its space back when it is removed', async () => {
    tree.remove(['upper']);
    await vi.waitFor(() => expect(trash()).toEqual([]), { timeout: 30_000 });
  });

  test('is swept up when the process that removed it has ended', async () => {
    fs.renameSync(path.join(base, 'upper'), path.join(bucket, 'trash', `${crypto.randomUUID()}.1-x`));
    tree.sweep(() => false);
    await vi.waitFor(() => expect(trash()).toEqual([]), { timeout: 30_000 });
  });
});
