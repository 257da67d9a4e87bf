import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Locator } from '../../src/disk/locator.ts';
import { plainScript } from '../../src/disk/names/script.ts';
import type { FileTree } from '../../src/disk/tree/file-tree.ts';
import { makeBucket, put, read, type Bucket } from './support.ts';

/** What takes a path, and so time for its length. */
const calls = ['openSync', 'lstatSync', 'statSync', 'readlinkSync', 'renameSync', 'unlinkSync', 'mkdirSync', 'opendirSync'] as const;

let bucket: Bucket;

beforeEach(() => {
  bucket = makeBucket();
});

afterEach(() => {
  vi.restoreAllMocks();
  bucket.remove();
});

function deep(depth: number): Locator {
  const locator: string[] = [];
  for (let level = 0; level < depth; level++) {
    locator.push(`d${level}`);
    bucket.tree.createDirectory(locator);
  }
  return locator;
}

/** How many system calls with a path `body` makes. */
async function count(body: () => unknown): Promise<number> {
  const spies = calls.map((name) => vi.spyOn(fs, name));
  await body();
  const total = spies.reduce((sum, spy) => sum + spy.mock.calls.length, 0);
  for (const spy of spies) spy.mockRestore();
  return total;
}

const operations: Record<string, (tree: FileTree, at: Locator) => unknown> = {
  kindOf: (tree, at) => tree.kindOf([...at, 'file']),
  stat: (tree, at) => tree.stat([...at, 'file']),
  file: (tree, at) => tree.file([...at, 'file']),
  open: (tree, at) => fs.closeSync(tree.openForWriting([...at, 'file'], false).descriptor),
  'createFile and remove': (tree, at) => (tree.createFile([...at, 'new']), tree.remove([...at, 'new'])),
  entries: (tree, at) => [...tree.entries(at)],
  replace: async (tree, at) => tree.replace(await tree.swap([...at, 'file']), [...at, 'file']),
  move: async (tree, at) => (await tree.move([...at, 'file'], [...at, 'moved']), tree.move([...at, 'moved'], [...at, 'file'])),
};

describe.runIf(process.platform === 'linux')('the system calls of an operation are as many at any depth', () => {
  test.each(Object.entries(operations))('%s', async (_, operate) => {
    const at = deep(200);
    for (const place of [at.slice(0, 20), at]) {
      await put(bucket.tree, [...place, 'file'], 'content');
      await bucket.tree.prepareInPlace([...place, 'file']);
    }
    await operate(bucket.tree, at);
    const shallow = await count(() => operate(bucket.tree, at.slice(0, 20)));
    expect(await count(() => operate(bucket.tree, at))).toBe(shallow);
    expect(await read(bucket.tree, [...at, 'file'])).toBe('content');
  });
});

test('a system that does not tell where an open directory is leaves a look at each component', async () => {
  vi.resetModules();
  const { locate } = await import('../../src/disk/tree/locate.ts');
  const at = deep(20);
  vi.spyOn(fs, 'readlinkSync').mockImplementation(() => {
    throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
  });
  expect(locate(bucket.files, at, plainScript(false)).stats?.isDirectory()).toBe(true);
  const opens = vi.spyOn(fs, 'openSync');
  expect(locate(bucket.files, [...at, 'none'], plainScript(false)).stats).toBeUndefined();
  expect(opens).not.toHaveBeenCalled();
});
