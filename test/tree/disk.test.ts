import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { codeOf, LATER_SESSION, makeBucket, names, put, read, SESSION } from './support.ts';
import type { Bucket } from './support.ts';

let bucket: Bucket;

beforeEach(() => {
  bucket = makeBucket();
});

afterEach(() => {
  vi.restoreAllMocks();
  bucket.remove();
});

const trash = (): string[] => fs.readdirSync(path.join(bucket.path, 'trash'));
const swaps = (): string[] => fs.readdirSync(path.join(bucket.path, 'swap', SESSION));

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: as if`), { code });
}

/** Makes a system call fail. */
function failing(name: 'openSync' | 'renameSync' | 'mkdirSync' | 'fsyncSync' | 'writeSync' | 'opendirSync', code: string): Error {
  const error = systemError(code);
  vi.spyOn(fs, name).mockImplementation(() => {
    throw error;
  });
  return error;
}

describe('an error of the operating system', () => {
  it.each([
    ['ENOSPC', 'no-space'],
    ['EDQUOT', 'no-space'],
    ['EROFS', 'read-only'],
    ['EACCES', 'read-only'],
    ['EPERM', 'read-only'],
    ['EMFILE', 'too-many-open'],
    ['ENFILE', 'too-many-open'],
    ['EIO', 'io'],
    ['ELOOP', 'not-plain'],
    ['ENAMETOOLONG', 'too-long'],
  ] as const)('%s is %s when something is created, with the cause', async (code, expected) => {
    const cause = failing('openSync', code);
    expect(await codeOf(() => bucket.tree.createFile(['f']))).toBe(expected);
    expect(() => bucket.tree.createFile(['f'])).toThrow(expect.objectContaining({ cause, locator: ['f'] }));
    expect(await codeOf(() => bucket.tree.swap())).toBe(expected);
    expect(await codeOf(() => bucket.tree.createFile(['long '.repeat(100)]))).toBe(expected);
  });

  it('that denies reading is told from one that denies writing', async () => {
    await put(bucket.tree, ['f'], 'content');
    failing('openSync', 'EACCES');
    failing('opendirSync', 'EACCES');
    expect(await codeOf(() => bucket.tree.open(['f']))).toBe('unreadable');
    expect(await codeOf(() => bucket.tree.openForWriting(['f'], false))).toBe('read-only');
    expect(await codeOf(() => bucket.tree.entries([]))).toBe('unreadable');
  });

  it('in the middle of a move or a replacement leaves everything as it was', async () => {
    await put(bucket.tree, ['f'], 'content');
    failing('renameSync', 'EIO');
    expect(await codeOf(() => bucket.tree.move(['f'], ['g']))).toBe('io');
    expect(await codeOf(() => put(bucket.tree, ['g'], 'new'))).toBe('io');
    vi.restoreAllMocks();
    expect(names(bucket.tree)).toEqual(['f']);
    expect(await read(bucket.tree, ['f'])).toBe('content');
  });

  it('of something else passes as it is', () => {
    const bug = new TypeError('a bug');
    vi.spyOn(fs, 'openSync').mockImplementation(() => {
      throw bug;
    });
    expect(() => bucket.tree.createFile(['f'])).toThrow(bug);
  });

  it('a name too long to be spelled beside its entry is refused', async () => {
    expect(await codeOf(() => bucket.tree.createFile(['x'.repeat(2 ** 24 + 1)]))).toBe('too-long');
    expect(names(bucket.tree)).toEqual([]);
  });
});

describe('removing', () => {
  it('a tree of any size is one rename; its entries go in the background', async () => {
    bucket.tree.createDirectory(['d']);
    for (let index = 0; index < 10_000; index += 1) fs.closeSync(fs.openSync(path.join(bucket.files, 'd', `${index}`), 'w'));
    const unlinked = vi.spyOn(fs, 'unlinkSync');
    const renamed = vi.spyOn(fs, 'renameSync');
    bucket.tree.remove(['d']);
    expect([unlinked.mock.calls.length, renamed.mock.calls.length]).toEqual([0, 1]);
    expect(bucket.tree.kindOf(['d'])).toBeNull();
    expect(trash()).toHaveLength(1);
    bucket.tree.createDirectory(['d']);
    await expect.poll(trash, { timeout: 60_000 }).toEqual([]);
    expect(bucket.tree.isEmpty(['d'])).toBe(true);
  });

  it('lets other work run meanwhile', async () => {
    bucket.tree.createDirectory(['d']);
    for (let index = 0; index < 3000; index += 1) fs.closeSync(fs.openSync(path.join(bucket.files, 'd', `${index}`), 'w'));
    bucket.tree.remove(['d']);
    let turns = 0;
    while (trash().length > 0) {
      turns += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(turns).toBeGreaterThan(100);
  });

  it('a large file gives its blocks back in the background', async () => {
    bucket.tree.createFile(['large']);
    fs.truncateSync(path.join(bucket.files, 'large'), 2 ** 30);
    const unlinked = vi.spyOn(fs, 'unlinkSync');
    bucket.tree.remove(['large']);
    expect(unlinked).not.toHaveBeenCalled();
    await expect.poll(trash).toEqual([]);
  });

  it('everything below the root leaves it empty', async () => {
    for (let index = 0; index < 300; index += 1) bucket.tree.createFile([`${index}`]);
    bucket.tree.createDirectory(['d']);
    bucket.tree.createFile(['d', 'long '.repeat(100)]);
    await bucket.tree.empty();
    expect(fs.readdirSync(bucket.files)).toEqual([]);
    await expect.poll(trash).toEqual([]);
  });

  it('does not keep a process alive; what is left goes with a sweep', async () => {
    const fixture = await bundleFixture(new URL('./remove.fixture.ts', import.meta.url));
    bucket.tree.createDirectory(['d']);
    for (let index = 0; index < 5000; index += 1) fs.closeSync(fs.openSync(path.join(bucket.files, 'd', `${index}`), 'w'));
    execFileSync(process.execPath, [fixture, bucket.path]);
    expect(bucket.tree.kindOf(['d'])).toBeNull();
    expect(trash()).toHaveLength(1);
    bucket.tree.sweep(() => false);
    await expect.poll(trash, { timeout: 60_000 }).toEqual([]);
  });

  it('is not disturbed by another process that deletes the same trash', async () => {
    bucket.tree.createDirectory(['d']);
    for (let index = 0; index < 2000; index += 1) fs.closeSync(fs.openSync(path.join(bucket.files, 'd', `${index}`), 'w'));
    bucket.tree.remove(['d']);
    for (let sweeper = 0; sweeper < 5; sweeper += 1) bucket.open().sweep(() => false);
    await expect.poll(trash, { timeout: 60_000 }).toEqual([]);
  });
});

describe('a swap file', () => {
  it.each([0, 10, 64 * 1024, 64 * 1024 + 1, 5_000_000])('starts as a copy of %i bytes that is its own', async (size) => {
    const content = 'x'.repeat(size);
    await put(bucket.tree, ['f'], content);
    fs.chmodSync(path.join(bucket.files, 'f'), 0o777);
    const swap = await bucket.tree.swap(['f']);
    const copy = Buffer.alloc(size);
    swap.content.read(copy, 0);
    expect(copy.toString()).toBe(content);
    expect(fs.statSync(swap.path).mode & 0o777).toBe(0o600);
    swap.content.write(Buffer.from('changed'), 0);
    expect(await read(bucket.tree, ['f'])).toBe(content);
    swap.discard();
    swap.discard();
    expect(swaps()).toEqual([]);
  });

  it('is never an entry, and is gone once it has taken a name', async () => {
    const swap = await bucket.tree.swap();
    expect(names(bucket.tree)).toEqual([]);
    await bucket.tree.replace(swap, ['f']);
    swap.discard();
    expect(names(bucket.tree)).toEqual(['f']);
    expect(swaps()).toEqual([]);
    expect(() => fs.fstatSync(swap.descriptor)).toThrow();
  });

  it('takes no name where its directory is gone, or a directory is', async () => {
    bucket.tree.createDirectory(['d']);
    expect(await codeOf(() => put(bucket.tree, ['gone', 'f'], 'x'))).toBe('not-found');
    expect(await codeOf(() => put(bucket.tree, ['d'], 'x'))).toBe('type-mismatch');
  });

  it('leaves nothing behind when its copy fails', async () => {
    await put(bucket.tree, ['f'], 'x'.repeat(100_000));
    vi.spyOn(fs.promises, 'copyFile').mockRejectedValue(systemError('ENOSPC'));
    expect(await codeOf(() => bucket.tree.swap(['f']))).toBe('no-space');
    expect(swaps()).toEqual([]);
  });

  it('of a large file is copied in another thread', async () => {
    await put(bucket.tree, ['f'], 'x'.repeat(100_000));
    const [read, copied] = [vi.spyOn(fs, 'readFileSync'), vi.spyOn(fs, 'copyFileSync')];
    (await bucket.tree.swap(['f'])).discard();
    expect([read.mock.calls.length, copied.mock.calls.length]).toEqual([0, 0]);
  });

  it('sessions do not meet', async () => {
    const other = bucket.open({ session: LATER_SESSION });
    const [a, b] = [await bucket.tree.swap(), await other.swap()];
    expect(path.dirname(a.path)).not.toBe(path.dirname(b.path));
    a.discard();
    b.discard();
  });
});

describe('strict durability', () => {
  /** What was done to the disk, in order. */
  function recorded(): string[] {
    const log: string[] = [];
    const nameOf = (descriptor: number): string => path.relative(bucket.path, fs.readlinkSync(`/proc/self/fd/${descriptor}`));
    const { fsyncSync, fsync, renameSync } = fs;
    vi.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => {
      log.push(`sync ${nameOf(descriptor)}`);
      fsyncSync(descriptor);
    });
    vi.spyOn(fs, 'fsync').mockImplementation(((descriptor: number, done: (error: Error | null) => void) => {
      log.push('sync the swap');
      fsync(descriptor, done);
    }) as never);
    vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
      log.push(`rename to ${path.relative(bucket.path, String(to))}`);
      renameSync(from, to);
    });
    return log;
  }

  it.runIf(process.platform === 'linux')('syncs content before its name, and each directory whose names change', async () => {
    const tree = bucket.open({ durability: 'strict' });
    tree.createDirectory(['d']);
    const log = recorded();
    await put(tree, ['d', 'f'], 'content');
    tree.createFile(['g']);
    await tree.move(['d', 'f'], ['h']);
    tree.remove(['h']);
    expect(log).toEqual([
      'sync the swap', 'rename to files.0/d/f', 'sync files.0/d', // replace
      'sync files.0', // create
      'rename to files.0/h', 'sync files.0', 'sync files.0/d', // move
      'sync files.0', // remove
    ]);
  });

  it('that fails says so', async () => {
    const tree = bucket.open({ durability: 'strict' });
    const cause = failing('fsyncSync', 'EIO');
    expect(() => tree.createFile(['f'])).toThrow(expect.objectContaining({ code: 'io', cause }));
  });

  it('is not paid for when it was not asked for', async () => {
    const synced = [vi.spyOn(fs, 'fsyncSync'), vi.spyOn(fs, 'fsync')];
    await put(bucket.tree, ['f'], 'content');
    await bucket.tree.move(['f'], ['g']);
    bucket.tree.remove(['g']);
    for (const spy of synced) expect(spy).not.toHaveBeenCalled();
  });
});
