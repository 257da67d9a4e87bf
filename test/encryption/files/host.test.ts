import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { FileSystemDirectoryHandle } from '../../../src/file-system/index.ts';
import type { EncryptionOptions } from '../../../src/host/encryption/options.ts';
import { StorageHost } from '../../../src/host/storage-host.ts';
import { weigh } from '../../tree/support.ts';
import { snapshotOf, treeHas } from '../support.ts';
import { sample } from './support.ts';

const origin = 'https://app.example';
const key = Buffer.alloc(32, 7);

let root: string;
let hosts: StorageHost[];

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-sealed-files-'));
  hosts = [];
});

afterEach(async () => {
  await Promise.all(hosts.map((host) => host.close()));
  fs.rmSync(root, { recursive: true, force: true });
});

function open(encryption: EncryptionOptions | null = { key }): StorageHost {
  const host = new StorageHost({ root: path.join(root, 'data'), ...(encryption && { encryption }) });
  hosts.push(host);
  return host;
}

function directoryOf(host = open()): Promise<FileSystemDirectoryHandle> {
  return host.origin(origin).storage.getDirectory();
}

const bucket = (): string => path.join(root, 'data/origins/https_app.example/default');

async function write(directory: FileSystemDirectoryHandle, name: string, content: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const writable = await (await directory.getFileHandle(name, { create: true })).createWritable();
  await writable.write(content);
  await writable.close();
}

async function read(directory: FileSystemDirectoryHandle, name: string): Promise<string> {
  return (await (await directory.getFileHandle(name)).getFile()).text();
}

/** The code of what an error was caused by. */
async function codeOf(body: () => Promise<unknown>): Promise<string> {
  try {
    await body();
    return 'none';
  } catch (error) {
    for (let at: unknown = error; at !== undefined && at !== null; at = (at as { cause?: unknown }).cause) {
      const { code } = at as { code?: unknown };
      if (typeof code === 'string') return code;
    }
    return String(error);
  }
}

async function fill(host: StorageHost): Promise<void> {
  const directory = await directoryOf(host);
  await write(directory, 'canary one', 'the canary of a writable '.repeat(9_000));
  const below = await directory.getDirectoryHandle('canary directory', { create: true });
  const handle = await (await below.getFileHandle('canary two', { create: true })).createSyncAccessHandle();
  handle.write(Buffer.from('the canary of a handle'), { at: 10_000 });
  handle.flush();
  handle.close();
  await (await below.getFileHandle('canary two')).move('canary three');
  await (await directory.getFileHandle(`canary ${'long '.repeat(60)}`, { create: true })).getFile();
  await write(directory, 'canary gone', 'the canary of what is removed');
  await directory.removeEntry('canary gone');
}

test('what is written through files is read by who has the key, and nothing of it is on the disk', async () => {
  const first = open();
  await fill(first);
  const pending = await (await (await directoryOf(first)).getFileHandle('canary one')).createWritable({ keepExistingData: true });
  await pending.write('canary pending');
  expect(treeHas(root, 'canary')).toEqual([]);
  await pending.abort();
  await first.close();
  const directory = await directoryOf();
  expect(await read(directory, 'canary one')).toBe('the canary of a writable '.repeat(9_000));
  const below = await directory.getDirectoryHandle('canary directory');
  expect((await read(below, 'canary three')).slice(9_998)).toBe('\0\0the canary of a handle');
  const names: string[] = [];
  for await (const name of directory.keys()) names.push(name);
  expect(names.sort()).toEqual(['canary directory', `canary ${'long '.repeat(60)}`, 'canary one']);
});

test('names that are to be visible are, and stay so', async () => {
  const host = open({ key, names: 'visible' });
  await fill(host);
  expect(fs.readdirSync(path.join(bucket(), 'files.0')).filter((name) => name === 'canary one')).toHaveLength(1);
  expect(treeHas(path.join(bucket(), 'files.0'), 'the canary')).toEqual([]);
  await host.close();
  expect(await read(await directoryOf(open({ key })), 'canary one')).toBe('the canary of a writable '.repeat(9_000));
});

test.each([
  ['another key', { key: Buffer.alloc(32, 8) }, 'key-wrong'],
  ['no key', null, 'key-missing'],
])('with %s nothing is opened, and nothing is written', async (_what, encryption, code) => {
  const host = open();
  await fill(host);
  await host.close();
  const before = snapshotOf(root);
  const other = open(encryption);
  expect(await codeOf(async () => write(await directoryOf(other), 'file', 'plain'))).toBe(code);
  await other.close();
  expect(snapshotOf(root)).toEqual(before);
});

test('to a plain origin with files nothing plain is added by a host that migrates, and nothing at all by one that does not', async () => {
  const plain = open(null);
  await (await directoryOf(plain)).getDirectoryHandle('a plain name', { create: true });
  await plain.close();
  const before = snapshotOf(root);
  expect(await codeOf(async () => write(await directoryOf(open({ key })), 'file', 'text'))).toBe('not-encrypted');
  expect(snapshotOf(root)).toEqual(before);
  const inside = await (await directoryOf(open({ key, plain: 'migrate' }))).getDirectoryHandle('a plain name');
  await write(inside, 'canary one', 'canary of a text');
  expect(await read(inside, 'canary one')).toBe('canary of a text');
  expect(treeHas(root, 'canary')).toEqual([]);
});

test('the estimate is what the files take, headers and tags too', async () => {
  const host = open();
  await fill(host);
  const { usageDetails } = await host.origin(origin).storage.estimate();
  expect(usageDetails.fileSystem).toBe(weigh(bucket()));
});

describe('a file that was written as a whole', () => {
  test('is made ready for a handle; of two handles at once the first has it', async () => {
    const directory = await directoryOf();
    await write(directory, 'file', sample(200_000));
    const file = await directory.getFileHandle('file');
    const [one, two] = await Promise.allSettled([file.createSyncAccessHandle(), file.createSyncAccessHandle()]);
    expect([one.status, two.status]).toEqual(['fulfilled', 'rejected']);
    if (one.status === 'rejected') return;
    const bytes = Buffer.alloc(200_001);
    expect(one.value.read(bytes)).toBe(200_000);
    expect(bytes.subarray(0, 200_000).equals(sample(200_000))).toBe(true);
    one.value.close();
  });

  test('is held by who asked first while it is made ready', async () => {
    const directory = await directoryOf();
    await write(directory, 'file', sample(1_000_000));
    const file = await directory.getFileHandle('file');
    let isOpen = false;
    const opening = file.createSyncAccessHandle().finally(() => (isOpen = true));
    const refusals = new Set<string>();
    while (!isOpen) {
      const removed = directory.removeEntry('file').then(() => 'removed', (error: Error) => error.name);
      refusals.add(await removed);
    }
    expect([...refusals]).toEqual(['NoModificationAllowedError']);
    (await opening).close();
  });

  test('is one file for all that share it, whoever made it ready', async () => {
    const [first, second] = await Promise.all([open(), open()].map((host) => directoryOf(host)));
    if (first === undefined || second === undefined) throw new Error('no directory');
    await write(first, 'file', sample(150_000));
    const files = await Promise.all([first, second].map((directory) => directory.getFileHandle('file')));
    const handles = await Promise.all(files.map((file) => file.createSyncAccessHandle({ mode: 'readwrite-unsafe' })));
    for (const [index, handle] of handles.entries()) handle.write(Buffer.from(`by ${index}`), { at: index * 10_000 });
    const bytes = Buffer.alloc(20_000);
    for (const handle of handles) {
      handle.read(bytes, { at: 0 });
      expect([bytes.toString('latin1', 0, 4), bytes.toString('latin1', 10_000, 10_004)]).toEqual(['by 0', 'by 1']);
      handle.close();
    }
  });

  test('is read by handles that only read, as it is', async () => {
    const directory = await directoryOf();
    await write(directory, 'file', sample(200_000));
    const inodes = (): number[] => fs.readdirSync(path.join(bucket(), 'files.0')).map((name) => fs.statSync(path.join(bucket(), 'files.0', name)).ino);
    const before = inodes();
    const file = await directory.getFileHandle('file');
    const handles = [await file.createSyncAccessHandle({ mode: 'read-only' }), await file.createSyncAccessHandle({ mode: 'read-only' })];
    const bytes = Buffer.alloc(10);
    for (const handle of handles) {
      expect(handle.read(bytes, { at: 190_000 })).toBe(10);
      expect(bytes.equals(sample(200_000).subarray(190_000, 190_010))).toBe(true);
      handle.close();
    }
    expect(inodes()).toEqual(before);
  });
});

test('what is written after another host has deleted the origin is encrypted for the new one', async () => {
  const host = open();
  const directory = await directoryOf(host);
  await write(directory, 'old', 'old');
  const other = open();
  await other.deleteOrigin(origin);
  await write(await directoryOf(other), 'new', 'new');
  await write(directory, 'file', 'of the new origin');
  const later = await directoryOf();
  expect(await read(later, 'file')).toBe('of the new origin');
  expect(await read(later, 'new')).toBe('new');
  expect(await read(directory, 'new')).toBe('new');
});
