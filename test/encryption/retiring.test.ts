import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { tracesIn } from '../../src/disk/encryption/traces.ts';
import type { StorageClient } from '../../src/index.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { openHost, regionOf } from './sync-regions.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { CANARY, codeOf, contentOf, fillDatabase, filledRoot, key, open, ORIGIN, recordOf, write } from './operator.ts';
import { idsIn } from './support.ts';

const originIn = (root: string): string => path.join(root, 'origins/https_a.example');

test('rekey({ dataKey, files }) rewrites files with the new key, forgets the others, and changes nothing that anybody sees', async () => {
  const { root, client, host } = await filledRoot();
  const handle = await (await client.storage.getDirectory()).getFileHandle(`${CANARY}-whole`);
  const { lastModified } = await handle.getFile();
  const before = await contentOf(client);
  for (let id = 2; id < 5; id += 1) {
    expect(await host.rekey(ORIGIN, { dataKey: true, files: true })).toBe(true);
    expect((await handle.getFile()).lastModified).toBe(lastModified);
    expect(await contentOf(client)).toEqual(before);
    expect(idsIn(root)).toEqual([id]);
  }
  expect(await contentOf(open(root).origin(ORIGIN))).toEqual(before);
});

test('more than 255 times in all, where each time the others are forgotten', async () => {
  const root = temporaryDirectory();
  const host = open(root);
  const { localStorage } = host.origin(ORIGIN);
  localStorage.setItem('k', 'v');
  for (let round = 0; round < 3; round += 1) await host.rekey(ORIGIN, { dataKey: true, files: true });
  expect(idsIn(root)).toEqual([4]);
  expect([...tracesIn(originIn(root)).ids]).toEqual([4]);
  localStorage.setItem('k', 'w');
  expect(open(root).origin(ORIGIN).localStorage.getItem('k')).toBe('w');
});

test('a file that is in use is named, keeps its key, and no key is forgotten before it is let go', async () => {
  const { root, client } = await filledRoot();
  const handle = await (await client.storage.getDirectory()).getFileHandle('used', { create: true });
  const access = await handle.createSyncAccessHandle();
  access.write(new TextEncoder().encode('in use'));
  const other = open(root);
  expect(await codeOf(other.rekey(ORIGIN, { dataKey: true, files: true }))).toBe('root-busy');
  await expect(other.rekey(ORIGIN, { files: true })).rejects.toThrow(/'\/used'/);
  expect(idsIn(root)).toEqual([1, 2]);
  access.write(new TextEncoder().encode('still'));
  access.close();
  const writable = await (await (await client.storage.getDirectory()).getFileHandle(`${CANARY}-whole`)).createWritable();
  expect(await codeOf(other.rekey(ORIGIN, { files: true }))).toBe('root-busy');
  expect(idsIn(root)).toContain(1);
  await writable.write('new');
  await writable.close();
  await other.rekey(ORIGIN, { files: true });
  expect(await (await handle.getFile()).text()).toBe('in usestill');
  expect(await (await (await (await client.storage.getDirectory()).getFileHandle(`${CANARY}-whole`)).getFile()).text()).toBe('new');
  expect(idsIn(root)).toEqual([2]);
});

test('what others write meanwhile is kept', async () => {
  const { root, client } = await filledRoot();
  let isOver = false;
  let round = 0;
  const writing = (async () => {
    while (!isOver) {
      client.localStorage.setItem('round', String((round += 1)));
      await write(client, `f${round % 5}`, `${round}`);
    }
  })();
  const other = open(root);
  try {
    for (let turn = 0; turn < 4; turn += 1) await codeOf(other.rekey(ORIGIN, { dataKey: true, files: true }));
  } finally {
    isOver = true;
    await writing;
  }
  await other.rekey(ORIGIN, { dataKey: true, files: true });
  const reread = open(root, { key }).origin(ORIGIN);
  expect(reread.localStorage.getItem('round')).toBe(String(round));
  expect(await (await (await (await reread.storage.getDirectory()).getFileHandle(`f${round % 5}`)).getFile()).text()).toBe(String(round));
});

test('a response that is read, replaced or deleted while it is rewritten is the one that it was, and leaves no file', async () => {
  const { root, client, host } = await filledRoot();
  const cache = await client.caches.open('more');
  const url = (number: number): string => `https://a.example/${number}`;
  const body = (number: number): string => `${number} `.repeat(60_000);
  for (let number = 0; number < 12; number += 1) await cache.put(url(number), new Response(body(number)));
  const reading = (await cache.match(url(0)))?.text();
  const rotating = host.rekey(ORIGIN, { dataKey: true, files: true });
  for (let number = 6; number < 12; number += 1) {
    await (number % 2 === 0 ? cache.delete(url(number)) : cache.put(url(number), new Response('new')));
    await new Promise(setImmediate);
  }
  await rotating;
  expect(await reading).toBe(body(0));
  const texts = await Promise.all(Array.from({ length: 12 }, async (_, number) => (await (await open(root).origin(ORIGIN).caches.match(url(number)))?.text()) ?? null));
  expect(texts).toEqual([0, 1, 2, 3, 4, 5].map(body).concat(...[null, 'new', null, 'new', null, 'new'].map((each) => each as string)));
  expect(fs.readdirSync(path.join(originIn(root), 'default/caches/responses'))).toHaveLength(1 + 6 + 3);
  expect(idsIn(root)).toEqual([2]);
});

test('what a killed writer has begun of a file of a database keeps no key', async () => {
  const { root, client, host } = await filledRoot();
  await fillDatabase(client);
  const record = await recordOf(client);
  // A Blob that was read keeps its file as it is.
  await host.close();
  const databases = path.join(originIn(root), 'default/indexeddb/databases');
  const begun = path.join(databases, fs.readdirSync(databases)[0] ?? '', 'blobs/4711');
  fs.writeFileSync(begun, '');
  const other = open(root);
  await other.rekey(ORIGIN, { dataKey: true, files: true });
  expect(idsIn(root)).toEqual([2]);
  expect(fs.existsSync(begun)).toBe(false);
  expect(await recordOf(other.origin(ORIGIN))).toEqual(record);
});

/** Syncs and renames, in their order. */
function watchDisk(): { readonly what: 'sync' | 'rename'; readonly at: string }[] {
  const seen: { what: 'sync' | 'rename'; at: string }[] = [];
  const { renameSync, fsyncSync } = fs;
  vi.spyOn(fs, 'renameSync').mockImplementation((from, to) => {
    renameSync(from, to);
    seen.push({ what: 'rename', at: String(to) });
  });
  vi.spyOn(fs, 'fsyncSync').mockImplementation((descriptor) => {
    fsyncSync(descriptor);
    seen.push({ what: 'sync', at: fs.readlinkSync(`/proc/self/fd/${descriptor}`) });
  });
  onTestFinished(() => void vi.restoreAllMocks());
  return seen;
}

test.skipIf(process.platform !== 'linux')('no key is forgotten before the names of what was rewritten are on the disk', async () => {
  const { root, client, host } = await filledRoot();
  const inside = await (await client.storage.getDirectory()).getDirectoryHandle('inside', { create: true });
  const writable = await (await inside.getFileHandle('file', { create: true })).createWritable();
  await writable.write('content');
  await writable.close();
  const seen = watchDisk();
  await host.rekey(ORIGIN, { dataKey: true, files: true });
  expect(idsIn(root)).toEqual([2]);
  const forgotten = seen.findLastIndex(({ what, at }) => what === 'rename' && at === path.join(originIn(root), 'keys'));
  const all = fs.readdirSync(originIn(root), { recursive: true, withFileTypes: true }).filter((entry) => entry.isDirectory());
  const places = all.map((entry) => path.join(entry.parentPath, entry.name)).filter((directory) => /\/(files\.\d+|responses)/.test(directory));
  expect(places.length).toBeGreaterThanOrEqual(3);
  for (const place of places) expect(seen.slice(0, forgotten), place).toContainEqual({ what: 'sync', at: place });
});

test('a stub, whose content is in a hub, gets the new key too, without the hub, and its content comes in every process', async () => {
  const engine = new MemoryEngine();
  const large = CANARY.repeat(30_000);
  const [first, root] = [temporaryDirectory(), temporaryDirectory()];
  const eu = regionOf(openHost(memoryHub(engine), 'eu', { root: first, encryption: { key } }), ORIGIN);
  const us = regionOf(openHost(memoryHub(engine), 'us', { root, encryption: { key } }), ORIGIN);
  for (const name of ['one', 'two', 'three']) await write(eu, name, `${large} ${name}`);
  await eu.sync.flush();
  await us.sync.caughtUp();
  const read = async (client: StorageClient, name: string): Promise<string> => (await (await (await client.storage.getDirectory()).getFileHandle(name)).getFile()).text();
  const keysAndStubs = (): unknown => [idsIn(root), [...tracesIn(originIn(root)).ids], stubsIn(originIn(root))];
  expect(keysAndStubs()).toEqual([[1], [1], 3]);
  const entries = [...engine.logs.values()].map((log) => log.entries.length);
  // Of another process, which talks to no hub.
  const other = open(root);
  await other.rekey(ORIGIN, { dataKey: true, files: true });
  expect(keysAndStubs()).toEqual([[2], [2], 3]);
  expect(await read(us, 'one')).toBe(`${large} one`);
  await other.rekey(ORIGIN, { dataKey: true, files: true });
  expect(keysAndStubs()).toEqual([[3], [3], 2]);
  expect(await read(us, 'two')).toBe(`${large} two`);
  await us.sync.flush();
  expect(us.sync.status()).toMatchObject({ pending: 0, problem: '' });
  expect([...engine.logs.values()].map((log) => log.entries.length)).toEqual(entries);
  const again = regionOf(openHost(memoryHub(engine), 'us', { root, encryption: { key } }), ORIGIN);
  expect(await read(again, 'three')).toBe(`${large} three`);
});

function stubsIn(origin: string): number {
  const files = fs.readdirSync(origin, { recursive: true, encoding: 'utf8' }).filter((file) => /^default\/files\.\d+\//.test(file));
  return files.filter((file) => (fs.statSync(path.join(origin, file)).mode & 0o100) !== 0).length;
}
