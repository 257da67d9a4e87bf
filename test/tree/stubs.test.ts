import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Locator } from '../../src/disk/locator.ts';
import type { FileTree } from '../../src/disk/tree/file-tree.ts';
import { writeStub } from '../../src/disk/tree/stub.ts';
import { isEncrypted } from '../support/sealed.ts';
import { codeOf, makeBucket, names, put, read, weigh } from './support.ts';
import type { Bucket } from './support.ts';

// A stub is of a synced file, and these look at its bytes on the disk, and at plain ones that are none.
const MANIFEST = Buffer.from('where the content is');

let bucket: Bucket;

beforeEach(() => {
  bucket = makeBucket();
});

afterEach(() => bucket.remove());

async function putStub(tree: FileTree, locator: Locator): Promise<void> {
  const swap = await tree.swap();
  writeStub(swap, MANIFEST);
  await tree.replace(swap, locator);
}

function onDisk(...names: string[]): string {
  return path.join(bucket.files, ...names);
}

// What a stub says of an encrypted origin is encrypted, and these are written plain: test/encryption/sync-keys.test.ts
describe.skipIf(isEncrypted)('a stub', () => {
  beforeEach(() => putStub(bucket.tree, ['f']));

  const refusals: Record<string, (tree: FileTree) => unknown> = {
    'opening it to read': (tree) => tree.open(['f']),
    'opening it to write': (tree) => tree.openForWriting(['f'], false),
    'asking for its size': (tree) => tree.stat(['f']),
    'taking a snapshot of it': (tree) => tree.file(['f']),
    'copying it to a swap file': (tree) => tree.swap(['f']),
    'giving it another inode': (tree) => tree.detach(['f']),
  };

  it.each(Object.entries(refusals))('refuses %s', async (_, operation) => {
    const before = fs.readdirSync('/proc/self/fd').length;
    expect(await codeOf(() => operation(bucket.tree))).toBe('elsewhere');
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });

  it('refuses to be written through a hard link of it', async () => {
    fs.linkSync(onDisk('f'), path.join(bucket.path, 'link'));
    expect(await codeOf(() => bucket.tree.openForWriting(['f'], false))).toBe('elsewhere');
    expect(bucket.tree.manifest(['f'])).toEqual(MANIFEST);
  });

  it('gives its manifest, and is marked for those who look', () => {
    expect(bucket.tree.manifest(['f'])).toEqual(MANIFEST);
    expect(bucket.tree.look(['f'])).toMatchObject({ kind: 'file', marked: true });
  });

  it('is a file among the entries', () => {
    expect([...bucket.tree.entries([])]).toEqual([['f', 'file']]);
    expect(bucket.tree.kindOf(['f'])).toBe('file');
    expect(bucket.tree.createFile(['f'])).toBe(false);
    expect(bucket.tree.isEmpty([])).toBe(false);
  });

  it('moves, alone and with its directory, and stays a stub', async () => {
    bucket.tree.createDirectory(['d']);
    await bucket.tree.move(['f'], ['d', 'g']);
    await bucket.tree.move(['d'], ['e']);
    expect(bucket.tree.manifest(['e', 'g'])).toEqual(MANIFEST);
    expect(await codeOf(() => bucket.tree.file(['e', 'g']))).toBe('elsewhere');
  });

  it('replaces a file that moves, and is replaced by one', async () => {
    await put(bucket.tree, ['g'], 'content');
    await bucket.tree.move(['f'], ['g']);
    expect(bucket.tree.manifest(['g'])).toEqual(MANIFEST);
    await put(bucket.tree, ['h'], 'other');
    await bucket.tree.move(['h'], ['g']);
    expect(await read(bucket.tree, ['g'])).toBe('other');
  });

  it('is replaced by content, and removed, like any file', async () => {
    await put(bucket.tree, ['f'], 'content');
    expect(await read(bucket.tree, ['f'])).toBe('content');
    await putStub(bucket.tree, ['f']);
    bucket.tree.remove(['f']);
    expect(names(bucket.tree)).toEqual([]);
  });

  it('counts what it takes on this disk', async () => {
    expect(weigh(bucket.path)).toBe(4096 + fs.statSync(onDisk('f')).size);
  });

  it('stays one through a copy that keeps modes', async () => {
    fs.cpSync(onDisk('f'), onDisk('copy'), { preserveTimestamps: true });
    expect(bucket.tree.manifest(['copy'])).toEqual(MANIFEST);
    expect(await codeOf(() => bucket.tree.file(['copy']))).toBe('elsewhere');
  });
});

describe.skipIf(isEncrypted)('what is no stub', () => {
  it('is a file that somebody made executable', async () => {
    await put(bucket.tree, ['f'], 'content');
    fs.chmodSync(onDisk('f'), 0o755);
    expect(await read(bucket.tree, ['f'])).toBe('content');
    expect(bucket.tree.manifest(['f'])).toBeNull();
    fs.closeSync(bucket.tree.openForWriting(['f'], false).descriptor);
    (await bucket.tree.swap(['f'])).discard();
  });

  it('is an empty executable file, and one shorter than the mark of stubs', async () => {
    await put(bucket.tree, ['f'], '\0hold');
    await put(bucket.tree, ['g'], '');
    for (const name of ['f', 'g']) fs.chmodSync(onDisk(name), 0o755);
    expect(await read(bucket.tree, ['f'])).toBe('\0hold');
    expect(await read(bucket.tree, ['g'])).toBe('');
  });

  it('is a file with the bytes of one that nothing marks', async () => {
    await putStub(bucket.tree, ['f']);
    const bytes = fs.readFileSync(onDisk('f'));
    await put(bucket.tree, ['g'], bytes);
    expect(Buffer.from(await (await bucket.tree.file(['g'])).arrayBuffer())).toEqual(bytes);
  });

  it('is nothing, and a directory', () => {
    bucket.tree.createDirectory(['d']);
    expect(bucket.tree.look(['d'])).toEqual({ kind: 'directory' });
    expect(bucket.tree.look(['none'])).toBeNull();
    expect(bucket.tree.look(['none', 'below'])).toBeNull();
  });
});

describe.skipIf(isEncrypted)('a look', () => {
  it('tells a file by another fingerprint when its bytes, its inode or its time change', async () => {
    const fingerprint = (): unknown => {
      const look = bucket.tree.look(['f']);
      return look?.kind === 'file' && look.fingerprint;
    };
    const seen = new Set<unknown>();
    await put(bucket.tree, ['f'], 'one');
    seen.add(fingerprint());
    await put(bucket.tree, ['f'], 'two');
    seen.add(fingerprint());
    fs.appendFileSync(onDisk('f'), '!');
    seen.add(fingerprint());
    fs.utimesSync(onDisk('f'), 1, 1);
    seen.add(fingerprint());
    expect(seen.size).toBe(4);
    await bucket.tree.move(['f'], ['g']);
    await bucket.tree.move(['g'], ['f']);
    expect(seen.has(fingerprint())).toBe(true);
  });
});
