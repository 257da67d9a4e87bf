import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseKeyFile } from '../../src/disk/encryption/key-file.ts';
import { runHere } from '../cli/support.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import '../../src/host/broadcast-channel/provided.ts';
import { FileSystemObserver, type StorageClient, type StorageHost } from '../../src/index.ts';
import { CANARY, codeOf, contentOf, fill, fillDatabase, key, open, openPlain, ORIGIN, OTHER, recordOf, write } from './operator.ts';
import { codeBehind, snapshotOf, treeHas } from './support.ts';

const migrating = { key, plain: 'migrate' } as const;

/** A plain origin with more than one generation, what was removed, and somebody who goes on. */
async function plainRoot(): Promise<string> {
  const root = path.join(temporaryDirectory(), 'root');
  const host = openPlain(root);
  const client = host.origin(ORIGIN);
  for (let round = 0; round < 40; round += 1) client.localStorage.setItem(CANARY, `${CANARY} ${round}`.repeat(4_000));
  await client.locks.request(CANARY, () => undefined);
  await client.storage.estimate();
  await write(client, 'gone', CANARY.repeat(40_000));
  await (await client.storage.getDirectory()).removeEntry('gone');
  await host.close();
  return root;
}

test('encrypt() leaves nothing plain of an origin, also of what nobody writes to; it may be called again, and then plain is refused', async () => {
  const root = await plainRoot();
  expect(treeHas(root, CANARY).length).toBeGreaterThan(1);
  const running = open(root, migrating).origin(ORIGIN);
  expect(running.localStorage.getItem(CANARY)).toContain('39');
  const host = open(root, migrating);
  expect(await host.encrypt(ORIGIN)).toBe(true);
  expect(treeHas(root, CANARY)).toEqual([]);
  expect(running.localStorage.getItem(CANARY)).toContain('39');
  running.localStorage.setItem('more', CANARY);
  expect(await host.encrypt(ORIGIN)).toBe(false);
  expect(treeHas(root, CANARY)).toEqual([]);
  const after = open(root).origin(ORIGIN);
  expect(after.localStorage.getItem('more')).toBe(CANARY);
  await write(after, CANARY, CANARY);
  expect(treeHas(root, CANARY)).toEqual([]);
  expect(codeBehind(() => openPlain(root).origin(ORIGIN).localStorage)).toBe('key-missing');
});

/** Something that is not encrypted yet. */
function addUnknown(root: string, origin: string): void {
  fs.mkdirSync(path.join(root, 'origins', origin, 'coordinators/c/n'), { recursive: true });
  fs.writeFileSync(path.join(root, 'origins', origin, 'coordinators/c/n/unknown'), CANARY);
}

test('what cannot be encrypted is refused, and nothing is changed; a host that does not migrate refuses it too', async () => {
  const root = path.join(temporaryDirectory(), 'root');
  const plain = openPlain(root);
  await write(plain.origin(ORIGIN), 'file', CANARY);
  plain.origin(OTHER).localStorage.setItem('k', 'v');
  await plain.close();
  addUnknown(root, 'https_a.example');
  const before = snapshotOf(path.join(root, 'origins'));
  expect(await codeOf(open(root, migrating).encrypt(ORIGIN))).toBe('encryption-unsupported');
  expect(await codeOf(open(root).encrypt(OTHER))).toBe('not-encrypted');
  expect(await codeOf(openPlain(root).encrypt(OTHER))).toBe('bad-option');
  expect(snapshotOf(path.join(root, 'origins'))).toEqual(before);
});

test('holdfast encrypt --all says what it did and what is left', async () => {
  const root = await plainRoot();
  const plain = openPlain(root);
  await write(plain.origin(OTHER), CANARY, CANARY);
  await plain.close();
  addUnknown(root, 'https_b.example');
  const file = path.join(path.dirname(root), 'key');
  fs.writeFileSync(file, key);
  const { code, out } = await runHere(root, ['encrypt', '--all', '--key-file', file, '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject([{ origin: ORIGIN, outcome: 'encrypted' }, { origin: OTHER, outcome: 'failed', message: expect.stringContaining("has 'unknown', which cannot be encrypted yet") }]);
  expect(await runHere(root, ['encrypt', '--origin', ORIGIN, '--key-file', file])).toMatchObject({ code: 0, out: `${ORIGIN}: it was encrypted, and nothing of it is plain\n` });
  fs.rmSync(path.join(root, 'origins/https_b.example/coordinators'), { recursive: true });
  expect(await runHere(root, ['encrypt', '--origin', OTHER, '--key-file', file])).toMatchObject({ code: 0, out: `${OTHER}: it is encrypted now, and nothing of it is plain\n` });
  expect(treeHas(root, CANARY)).toEqual([]);
});

async function keysOf(directory: { keys(): AsyncIterable<string> }): Promise<string[]> {
  const names: string[] = [];
  for await (const name of directory.keys()) names.push(name);
  return names.sort();
}

/** A plain origin with all that can be encrypted in place. */
async function everything(): Promise<{ readonly root: string; readonly content: unknown }> {
  const root = path.join(temporaryDirectory(), 'root');
  const host = openPlain(root);
  const client = host.origin(ORIGIN);
  await fill(client, 'plain');
  await fillDatabase(client);
  expect(await recordOf(client)).toEqual([CANARY, CANARY.repeat(1_000)]);
  const channel = new client.BroadcastChannel(`${CANARY}-channel`);
  const heard = new Promise((resolve) => (new client.BroadcastChannel(`${CANARY}-channel`).onmessage = resolve));
  channel.postMessage(new Blob([CANARY.repeat(1_000)]));
  await heard;
  const content = await contentOf(client);
  // As whoever was killed leaves it.
  const swap = path.join(root, 'origins/https_a.example/default/swap', randomUUID());
  await host.close();
  fs.mkdirSync(swap);
  fs.writeFileSync(path.join(swap, '1-a'), CANARY);
  return { root, content };
}

async function cachesUse({ storage }: StorageClient): Promise<number> {
  return ((await storage.estimate()) as { readonly usageDetails: { readonly caches: number } }).usageDetails.caches;
}

test('files, their names, caches, named buckets and what is left of channels are encrypted in place, and are what they were', async () => {
  const { root, content } = await everything();
  expect(treeHas(root, CANARY).length).toBeGreaterThan(10);
  const running = open(root, migrating).origin(ORIGIN);
  const handle = await (await running.storage.getDirectory()).getFileHandle(`${CANARY}-whole`);
  const { lastModified } = await handle.getFile();
  expect(await contentOf(running)).toEqual(content);
  const before = await cachesUse(running);
  const host = open(root, migrating);
  const seen: string[] = [];
  const observer = new FileSystemObserver((records) => void seen.push(...records.map(({ type }) => type)));
  await observer.observe(await running.storage.getDirectory(), { recursive: true });
  await host.encrypt(ORIGIN);
  expect(treeHas(root, CANARY)).toEqual([]);
  expect((await handle.getFile()).lastModified).toBe(lastModified);
  for (const client of [running, open(root).origin(ORIGIN)]) {
    expect(await contentOf(client)).toEqual(content);
    expect(await recordOf(client)).toEqual([CANARY, CANARY.repeat(1_000)]);
    expect(await client.indexedDB.databases()).toEqual([{ name: `${CANARY}-database`, version: 1 }]);
  }
  observer.disconnect();
  expect(seen).toEqual([]);
  // What has gone is told a little later.
  await expect.poll(async () => (await cachesUse(running)) - before).toBeLessThan(1_000);
  expect(await cachesUse(running)).toBeGreaterThan(before);
  expect(await host.encrypt(ORIGIN)).toBe(false);
  expect(codeBehind(() => openPlain(root).origin(ORIGIN).localStorage)).toBe('key-missing');
});

test('what is open is named and left, with all that holds it; the rest is encrypted, and that when it is let go', async () => {
  const { root, content } = await everything();
  const running = open(root, migrating).origin(ORIGIN);
  const directory = await (await running.storage.getDirectory()).getDirectoryHandle(`${CANARY}-directory`);
  const access = await (await directory.getFileHandle('in place')).createSyncAccessHandle();
  const host = open(root, migrating);
  await expect(host.encrypt(ORIGIN)).rejects.toMatchObject({ code: 'root-busy', message: expect.stringContaining("-directory/in place', '/") });
  const left = treeHas(root, CANARY);
  expect(left.length).toBeGreaterThan(0);
  expect(left.every((file) => file.includes(`${CANARY}-directory`))).toBe(true);
  expect(await contentOf(running)).toEqual(content);
  access.close();
  expect(await host.encrypt(ORIGIN)).toBe(false);
  expect(treeHas(root, CANARY)).toEqual([]);
  expect(await contentOf(open(root).origin(ORIGIN))).toEqual(content);
});

test('a file that begins as an encrypted one does is a file like any other', async () => {
  const root = path.join(temporaryDirectory(), 'root');
  const plain = openPlain(root);
  const forged = Buffer.concat([Buffer.from('\u00ffHfE\u0001\u0010', 'latin1'), Buffer.alloc(500, CANARY)]);
  await write(plain.origin(ORIGIN), 'forged', forged);
  await write(plain.origin(ORIGIN), 'short', '\u00ffHfE');
  await write(plain.origin(ORIGIN), 'zeros', new Uint8Array(10_000));
  await plain.close();
  const read = async (host: StorageHost, name: string): Promise<Buffer> => Buffer.from(await (await (await (await host.origin(ORIGIN).storage.getDirectory()).getFileHandle(name)).getFile()).arrayBuffer());
  const host = open(root, migrating);
  expect((await read(host, 'forged')).equals(forged)).toBe(true);
  await host.encrypt(ORIGIN);
  expect((await read(host, 'forged')).equals(forged)).toBe(true);
  expect((await read(host, 'short')).toString()).toBe('\u00ffHfE');
  expect((await read(host, 'zeros')).equals(Buffer.alloc(10_000))).toBe(true);
  expect(treeHas(root, CANARY)).toEqual([]);
});

test('while it is encrypted, what is written, moved, listed and removed is what it is elsewhere, whatever names it has', async () => {
  const root = path.join(temporaryDirectory(), 'root');
  const plain = openPlain(root);
  for (const name of ['kept', 'moved', 'removed', 'replaced', CANARY.repeat(20)]) await write(plain.origin(ORIGIN), name, name);
  await (await plain.origin(ORIGIN).storage.getDirectory()).getDirectoryHandle('directory', { create: true });
  await plain.close();
  const client = open(root, migrating).origin(ORIGIN);
  const directory = await client.storage.getDirectory();
  const names = (): Promise<string[]> => keysOf(directory);
  await (await directory.getFileHandle('moved')).move('elsewhere');
  await directory.removeEntry('removed');
  await write(client, 'replaced', 'anew');
  await write(client, CANARY, 'new');
  await (await directory.getFileHandle(CANARY.repeat(20))).move(`${CANARY}-no-more`);
  const expected = ['canary-that-nobody-may-read', 'canary-that-nobody-may-read-no-more', 'directory', 'elsewhere', 'kept', 'replaced'];
  expect(await names()).toEqual(expected);
  expect(await names()).toEqual(expected);
  await expect(directory.getFileHandle('removed')).rejects.toMatchObject({ name: 'NotFoundError' });
  await expect(directory.getFileHandle('directory', { create: true })).rejects.toMatchObject({ name: 'TypeMismatchError' });
  await open(root, migrating).encrypt(ORIGIN);
  const after = await open(root).origin(ORIGIN).storage.getDirectory();
  expect(await keysOf(after)).toEqual(expected);
  expect(await (await (await after.getFileHandle('replaced')).getFile()).text()).toBe('anew');
  expect(treeHas(root, 'elsewhere')).toEqual([]);
  expect(treeHas(root, CANARY)).toEqual([]);
});

test('a database that is open is named, and left as it is; one that is not is encrypted by the first who opens it', async () => {
  const { root } = await everything();
  const [one, other, third] = [1, 2, 3].map(() => open(root, migrating));
  const client = (one as StorageHost).origin(ORIGIN);
  expect(await client.indexedDB.databases()).toEqual([{ name: `${CANARY}-database`, version: 1 }]);
  expect(treeHas(path.join(root, 'origins/https_a.example/default/indexeddb/databases'), CANARY).length).toBeGreaterThan(2);
  const database = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = client.indexedDB.open(`${CANARY}-database`);
    request.onsuccess = () => resolve(request.result as unknown as IDBDatabase);
    request.onerror = () => reject(request.error ?? new Error('it failed'));
  });
  await expect.poll(() => treeHas(path.join(root, 'origins/https_a.example/default/indexeddb/databases'), CANARY)).toEqual([]);
  // Open, but encrypted: only another key is kept from it.
  await (other as StorageHost).encrypt(ORIGIN);
  const rotating = (third as StorageHost).rekey(ORIGIN, { dataKey: true, files: true });
  await expect(rotating).rejects.toThrow(`'${CANARY}-database'`);
  database.close();
  await (third as StorageHost).rekey(ORIGIN, { dataKey: true, files: true });
  expect(parseKeyFile(fs.readFileSync(path.join(root, 'origins/https_a.example/keys')), ORIGIN).bytes.readUInt16LE(68)).toBe(2);
  expect(await recordOf(open(root).origin(ORIGIN))).toEqual([CANARY, CANARY.repeat(1_000)]);
  expect(treeHas(root, CANARY)).toEqual([]);
});

test('what whoever was killed has begun to spell keeps nobody from ending it, and is not there in clear', async () => {
  const root = path.join(temporaryDirectory(), 'root');
  const plain = openPlain(root);
  await write(plain.origin(ORIGIN), CANARY.repeat(20), CANARY);
  await plain.close();
  const files = path.join(root, 'origins/https_a.example/default/files.0');
  const begin = (): void => {
    const spelling = fs.readdirSync(files).find((name) => name.startsWith('%~')) ?? '';
    fs.copyFileSync(path.join(files, spelling), path.join(files, `${spelling}.${randomUUID()}`));
  };
  begin();
  const host = open(root, migrating);
  await host.encrypt(ORIGIN);
  expect(treeHas(root, CANARY)).toEqual([]);
  begin();
  await host.rekey(ORIGIN, { dataKey: true, files: true });
  expect(parseKeyFile(fs.readFileSync(path.join(root, 'origins/https_a.example/keys')), ORIGIN).bytes.readUInt16LE(68)).toBe(2);
  expect(await keysOf(await open(root).origin(ORIGIN).storage.getDirectory())).toEqual([CANARY.repeat(20)]);
});
