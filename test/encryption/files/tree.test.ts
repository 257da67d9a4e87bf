import { createHmac, createSecretKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileSealing } from '../../../src/disk/encryption/files/file-sealing.ts';
import { SealedNames } from '../../../src/disk/encryption/files/sealed-names.ts';
import type { Ledger } from '../../../src/disk/quota/ledger.ts';
import type { FileTree } from '../../../src/disk/tree/file-tree.ts';
import type { Sealing } from '../../../src/disk/tree/sealing.ts';
import { testKeys } from '../../support/sealed.ts';
import { codeOf, makeBucket, names, read, weigh } from '../../tree/support.ts';
import type { Bucket } from '../../tree/support.ts';
import { keysOf, readAll, sample, writeAll } from './support.ts';

const script = new SealedNames(testKeys().namesCipher('default'));

let bucket: Bucket;
beforeEach(() => void (bucket = makeBucket()));
afterEach(() => bucket.remove());

function sealing(activeId = 1): Sealing {
  return new FileSealing(keysOf('a', activeId), () => script);
}

function open(activeId = 1, ledger?: Ledger): FileTree {
  return bucket.open({ sealing: sealing(activeId), ...(ledger && { ledger }) });
}

async function put(tree: FileTree, name: string, bytes: Uint8Array): Promise<void> {
  const swap = await tree.swap();
  swap.extent.cover(swap.content.stored(bytes.byteLength));
  writeAll(swap.content, bytes);
  await tree.replace(swap, [name]);
}

/** All that is on the disk of the bucket: paths and bytes, as one text. */
function everything(directory = bucket.path): Buffer {
  const entries = fs.readdirSync(directory, { withFileTypes: true });
  const parts = entries.map((entry) => {
    const at = path.join(directory, entry.name);
    return Buffer.concat([Buffer.from(`\n${entry.name}\n`), entry.isDirectory() ? everything(at) : fs.readFileSync(at)]);
  });
  return Buffer.concat(parts);
}

/** How much is paid for. */
function counting(): Ledger & { paid: number } {
  const ledger = {
    paid: 0,
    charge: (bytes: number) => void (ledger.paid += bytes),
    refund: (bytes: number) => void (ledger.paid -= bytes),
    mark: () => 0,
    free: (bytes: number) => void (ledger.paid -= bytes),
    moved: () => undefined,
    doubt: () => undefined,
  };
  return ledger;
}

test('neither contents nor names are on the disk as they are, while a file is written or after it', async () => {
  const tree = open();
  tree.createDirectory(['secret directory']);
  tree.createFile(['secret directory', 'secret file']);
  await put(tree, 'another secret file', Buffer.from('secret content '.repeat(10_000)));
  const copy = await tree.swap(['another secret file']);
  writeAll(copy.content, Buffer.from('secret start'));
  const { content, descriptor } = tree.openForWriting(['secret directory', 'secret file'], false);
  writeAll(content, Buffer.from('secret words in place'));
  fs.closeSync(descriptor);
  tree.createFile([`secret ${'n'.repeat(300)}`]);
  expect(everything().includes('secret')).toBe(false);
  await tree.replace(copy, ['another secret file']);
  await tree.move(['secret directory', 'secret file'], ['secret directory', 'moved secret']);
  expect(everything().includes('secret')).toBe(false);
  expect(names(tree)).toEqual(['another secret file', 'secret directory', `secret ${'n'.repeat(300)}`]);
  expect(await read(tree, ['secret directory', 'moved secret'])).toBe('secret words in place');
  expect((await read(tree, ['another secret file'])).slice(0, 26)).toBe('secret startnt secret cont');
});

test('names that are to be visible are, and contents are encrypted', async () => {
  const tree = bucket.open({ sealing: new FileSealing(keysOf()) });
  await put(tree, 'a name', Buffer.from('secret content'));
  expect(fs.readdirSync(bucket.files)).toEqual(['a name']);
  expect(everything().includes('secret')).toBe(false);
});

test('what is written as a whole has to be made ready for being written to in place, once', async () => {
  const tree = open();
  await put(tree, 'file', sample(200_000));
  expect(await codeOf(() => tree.openForWriting(['file'], false))).toBe('not-in-place');
  await tree.prepareInPlace(['file']);
  const inode = fs.statSync(path.join(bucket.files, fs.readdirSync(bucket.files)[0] ?? '')).ino;
  await tree.prepareInPlace(['file']);
  expect(fs.statSync(path.join(bucket.files, fs.readdirSync(bucket.files)[0] ?? '')).ino).toBe(inode);
  const file = tree.openForWriting(['file'], true);
  expect(readAll(file.content).equals(sample(200_000))).toBe(true);
  fs.closeSync(file.descriptor);
  expect(tree.stat(['file']).size).toBe(200_000);
  expect(await codeOf(() => tree.prepareInPlace(['none']))).toBe('not-found');
});

test('a copy is written on with the key that the file has, unless that is not the one of now', async () => {
  await put(open(1), 'file', sample(100_000));
  const copy = await open(1).swap(['file']);
  expect(readAll(copy.content).equals(sample(100_000))).toBe(true);
  copy.discard();
  const tree = open(2);
  expect((await tree.file(['file'])).size).toBe(100_000);
  const renewed = await tree.swap(['file']);
  writeAll(renewed.content, sample(10, 5), 50);
  await tree.replace(renewed, ['file']);
  const onlyNew = { activeId: 2, oldestId: 2, fileKey: (id: number, salt: Uint8Array) => (id === 2 ? keysOf('a').fileKey(2, salt) : createSecretKey(createHmac('sha256', 'none').digest())) };
  const later = bucket.open({ sealing: new FileSealing(onlyNew, () => script) });
  const bytes = Buffer.from(await (await later.file(['file'])).arrayBuffer());
  expect(bytes.equals(Buffer.concat([sample(50), sample(10, 5), sample(100_000).subarray(60)]))).toBe(true);
});

test('what is paid for is what the files take, headers and tags too', async () => {
  const ledger = counting();
  const tree = open(1, ledger);
  tree.createFile(['empty']);
  await put(tree, 'whole', sample(150_000));
  await put(tree, 'nothing', Buffer.alloc(0));
  const swap = await tree.swap(['whole']);
  await tree.replace(swap, ['whole']);
  await tree.prepareInPlace(['whole']);
  const { descriptor, content, extent } = tree.openForWriting(['empty'], false);
  const change = (size: number, body: () => void): void => {
    extent.cover(content.stored(size));
    body();
    extent.shrunk(content.stored(size), extent.mark());
  };
  change(9_000, () => writeAll(content, sample(9_000)));
  change(5_000, () => content.truncate(5_000));
  change(5_000_000, () => content.truncate(5_000_000));
  change(0, () => content.truncate(0));
  fs.closeSync(descriptor);
  expect(ledger.paid).toBe(weigh(bucket.path));
  tree.remove(['whole']);
  expect(ledger.paid).toBe(weigh(bucket.path));
});

describe('a File of an encrypted file', () => {
  test('reads as any other: as a whole, in slices, as a stream', async () => {
    const tree = open();
    await put(tree, 'file.txt', sample(300_000));
    const file = await tree.file(['file.txt']);
    expect([file.size, file.type, file.name]).toEqual([300_000, 'text/plain', 'file.txt']);
    expect(Buffer.from(await file.arrayBuffer()).equals(sample(300_000))).toBe(true);
    expect(Buffer.from(await file.slice(65_000, 70_000).arrayBuffer()).equals(sample(300_000).subarray(65_000, 70_000))).toBe(true);
    expect(Buffer.from(await file.slice(-10).arrayBuffer()).equals(sample(300_000).subarray(-10))).toBe(true);
    const chunks: Uint8Array[] = [];
    for await (const chunk of file.slice(1).stream() as AsyncIterable<Uint8Array>) chunks.push(chunk);
    expect(Buffer.concat(chunks).equals(sample(300_000).subarray(1))).toBe(true);
  });

  test('gives nothing to what reads behind its back', async () => {
    const tree = open();
    await put(tree, 'file', sample(1_000));
    const file = await tree.file(['file']);
    for (const blob of [file, file.slice(10, 20)]) {
      await expect(new Blob([blob as Blob]).arrayBuffer()).rejects.toThrow();
      const clone = async (): Promise<ArrayBuffer> => structuredClone(blob).arrayBuffer();
      await expect(clone()).rejects.toThrow();
    }
  });

  test('fails once the file has changed, and where it is damaged', async () => {
    const tree = open();
    await put(tree, 'file', sample(1_000));
    const before = await tree.file(['file']);
    await put(tree, 'file', sample(2_000));
    await expect(before.arrayBuffer()).rejects.toMatchObject({ name: 'NotReadableError' });
    const at = path.join(bucket.files, fs.readdirSync(bucket.files)[0] ?? '');
    const raw = fs.readFileSync(at);
    raw[500] = (raw[500] ?? 0) ^ 1;
    fs.writeFileSync(at, raw);
    await expect((await tree.file(['file'])).arrayBuffer()).rejects.toMatchObject({ name: 'NotReadableError', cause: { code: 'EDAMAGED' } });
    fs.writeFileSync(at, 'plain');
    expect(await codeOf(() => tree.file(['file']))).toBe('damaged');
  });
});
