import { expect, test } from 'vitest';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
import type { IDBDatabase } from '../../src/indexed-db/database.ts';
import type { StorageClient, StorageHost } from '../../src/index.ts';
import { serializeHandle } from '../../src/index.ts';
import { A, archiveOf, B, filesOf, itemsOf, openHost, piecesOf, writeFile } from './support.ts';

/** Databases need the SQLite of the runtime, or the package that brings one; the tests' dependencies have it. */
function opened(client: StorageClient, name: string, version?: number, upgrade?: (database: IDBDatabase) => void): Promise<IDBDatabase> {
  const request = client.indexedDB.open(name, version);
  if (upgrade !== undefined) request.onupgradeneeded = () => upgrade(request.result as IDBDatabase);
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as IDBDatabase);
    request.onerror = () => reject(request.error as unknown as Error);
  });
}

function done<T>(request: { onsuccess: unknown; onerror: unknown; readonly result: unknown; readonly error: unknown }): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = () => reject(request.error as Error);
  });
}

function completed(transaction: ReturnType<IDBDatabase['transaction']>): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error as unknown as Error);
  });
}

async function fillDatabase(client: StorageClient): Promise<void> {
  const database = await opened(client, 'shop \ud800', 7, (db) => {
    const orders = db.createObjectStore('orders', { keyPath: 'nested.id', autoIncrement: true });
    orders.createIndex('tags', 'tags', { multiEntry: true });
    orders.createIndex('pair', ['a', 'b'], { unique: true });
    db.createObjectStore('free');
  });
  const transaction = database.transaction(['orders', 'free'], 'readwrite');
  const orders = transaction.objectStore('orders');
  for (let n = 0; n < 20; n += 1) orders.put({ nested: {}, tags: ['x', n], a: n, b: -n, date: new Date(n), big: 1n, map: new Map([[n, new Set([n])]]) });
  for (let n = 15; n <= 20; n += 1) orders.delete(n);
  const free = transaction.objectStore('free');
  for (const key of [1.5, new Date(9), 'ключ \udc00', new Uint8Array([0, 1, 2]), [1, ['a', new Date(0)]]]) free.put({ key }, key);
  free.put('y'.repeat(200_000), 'large value');
  free.put({ blob: new Blob(['blob content'], { type: 'text/x' }), file: new File(['file content'], 'n.txt', { lastModified: 5 }) }, 'blobs');
  free.put(await client.storage.getDirectory().then((root) => root.getFileHandle('handle', { create: true })), 'handle');
  await completed(transaction);
  database.close();
}

async function databaseOf(client: StorageClient): Promise<unknown> {
  const database = await opened(client, 'shop \ud800');
  const transaction = database.transaction(['orders', 'free'], 'readwrite');
  const orders = transaction.objectStore('orders');
  const free = transaction.objectStore('free');
  const [all, byTag, keys, values] = await Promise.all([done(orders.getAll()), done(orders.index('tags').getAllKeys()), done<unknown[]>(free.getAllKeys()), done<unknown[]>(free.getAll())]);
  const blobs = values[keys.indexOf('blobs')] as { blob: Blob; file: File };
  const handle = serializeHandle(values[keys.indexOf('handle')]);
  const rest = values.filter((_, index) => keys[index] !== 'blobs' && keys[index] !== 'handle');
  const indexes = [...orders.indexNames].map((name) => [name, orders.index(name).keyPath, orders.index(name).unique, orders.index(name).multiEntry]);
  const found = { version: database.version, all, byTag, keys, rest, indexes, blob: [await blobs.blob.text(), blobs.blob.type, await blobs.file.text(), blobs.file.name, blobs.file.lastModified], handle: { ...handle, origin: handle.origin === client.origin } };
  // What a transaction that is aborted has generated is given again.
  const trial = database.transaction('orders', 'readwrite');
  expect(await done(trial.objectStore('orders').add({ nested: {}, a: 'next', b: 'key' }))).toBe(21);
  trial.abort();
  database.close();
  return found;
}

async function cachesOf(client: StorageClient): Promise<unknown> {
  const found: unknown[] = [];
  for (const name of await client.caches.keys()) {
    const cache = await client.caches.open(name);
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      found.push([name, request.url, [...request.headers], response?.status, response?.statusText, [...(response?.headers ?? [])], await response?.text()]);
    }
  }
  return found;
}

async function filled(): Promise<{ host: StorageHost; client: StorageClient }> {
  const host = openHost();
  const client = host.origin(A);
  client.localStorage.setItem('k', 'v');
  await writeFile(client, ['f'], 'file');
  await fillDatabase(client);
  const cache = await client.caches.open('pages \ud801');
  await cache.put('https://x.example/?q#frag', new Response('b'.repeat(200_000), { headers: { 'content-type': 'text/x' } }));
  await cache.put(new Request('https://x.example/', { headers: { accept: 'a' } }), new Response('small', { status: 201, statusText: 'Made', headers: { vary: 'accept' } }));
  await cache.put('https://x.example/null', new Response(null, { status: 204 }));
  await client.storage.persist();
  return { host, client };
}

test('databases with their keys, indexes, generators, Blobs and handles, and caches, come back as they were', async () => {
  const { host, client } = await filled();
  const before = { database: await databaseOf(client), caches: await cachesOf(client) };
  const other = openHost();
  await other.importOrigin(piecesOf(await archiveOf(host)), { origin: B });
  const b = other.origin(B);
  expect({ database: await databaseOf(b), caches: await cachesOf(b) }).toEqual(before);
  expect(await b.storage.persisted()).toBe(true);
  expect((await b.storage.estimate()).usageDetails).toEqual((await client.storage.estimate()).usageDetails);
});

test('what is there is kept; merge puts over it what the archive has; replace deletes it', async () => {
  const { host } = await filled();
  const archive = await archiveOf(host);
  const other = openHost();
  const own = other.origin(A);
  own.localStorage.setItem('k', 'other');
  own.localStorage.setItem('mine', '1');
  await writeFile(own, ['g'], 'mine');
  await expect(other.importOrigin(piecesOf(archive))).rejects.toMatchObject({ code: 'origin-exists' });
  expect(itemsOf(own)).toEqual([['k', 'other'], ['mine', '1']]);
  expect(await other.importOrigin(piecesOf(archive), { existing: 'merge' })).toEqual([{ source: A, origin: A, outcome: 'merged' }]);
  expect(itemsOf(own)).toEqual([['k', 'v'], ['mine', '1']]);
  expect([...(await filesOf(own)).keys()]).toEqual(['["f"]', '["g"]', '["handle"]']);
  await databaseOf(own);
  expect(await other.importOrigin(piecesOf(archive), { existing: 'merge' })).toMatchObject([{ outcome: 'merged' }]);
  expect(await other.importOrigin(piecesOf(archive), { existing: 'replace' })).toMatchObject([{ outcome: 'replaced' }]);
  expect(() => own.localStorage.length).toThrow(/closed/);
  const again = other.origin(A);
  expect(itemsOf(again)).toEqual([['k', 'v']]);
  expect([...(await filesOf(again)).keys()]).toEqual(['["f"]', '["handle"]']);
  await databaseOf(again);
});

test('a merge that cannot be done changes nothing', async () => {
  const { host } = await filled();
  const archive = await archiveOf(host);
  const other = openHost();
  const own = other.origin(A);
  await (await own.storage.getDirectory()).getDirectoryHandle('f', { create: true });
  await expect(other.importOrigin(piecesOf(archive), { existing: 'merge' })).rejects.toMatchObject({ code: 'origin-exists', message: expect.stringContaining("'/f' is a file in the archive, and a directory there") });
  expect(own.localStorage.length).toBe(0);
  await (await own.storage.getDirectory()).removeEntry('f');
  (await opened(own, 'shop \ud800', 7, (db) => db.createObjectStore('another'))).close();
  await expect(other.importOrigin(piecesOf(archive), { existing: 'merge' })).rejects.toMatchObject({ code: 'origin-exists', message: expect.stringMatching(/database .* other stores/) });
  expect(own.localStorage.length).toBe(0);
});

test('several origins go into one archive, and come back as what they were', async () => {
  const host = openHost();
  for (const origin of [A, B]) host.origin(origin).localStorage.setItem('whose', origin);
  const other = openHost();
  const archive = await archiveOf(host, [A, B]);
  await expect(other.importOrigin(piecesOf(archive), { origin: A })).rejects.toMatchObject({ code: 'bad-option' });
  expect(await other.importOrigin(piecesOf(archive))).toHaveLength(2);
  for (const origin of [A, B]) expect(itemsOf(other.origin(origin))).toEqual([['whose', origin]]);
  const listed: string[] = [];
  for await (const { origin, usage, lastChange, buckets } of other.origins()) {
    listed.push(origin);
    expect({ usage, names: buckets.map(({ name }) => name) }).toEqual({ usage: 2 * `whose${origin}`.length, names: ['default'] });
    expect(Math.abs(Date.now() - lastChange)).toBeLessThan(600_000);
  }
  expect(listed.sort()).toEqual([A, B]);
});

test('named buckets come back with their policies and all that they have, also one that is called default', async () => {
  const host = openHost();
  const client = host.origin(A);
  client.localStorage.setItem('k', 'v');
  const expires = Date.now() + 3_600_000;
  for (const name of ['inbox', 'default']) {
    const bucket = await client.storageBuckets.open(name, { durability: 'strict', quota: 5_000_000, expires, persisted: true });
    const file = await (await bucket.getDirectory()).getFileHandle('f', { create: true });
    const writable = await file.createWritable();
    await writable.write(`of ${name}`);
    await writable.close();
    await (await bucket.caches.open('c')).put('https://x.example/', new Response(name));
  }
  await client.storageBuckets.open('gone', { expires: Date.now() + 1500 });
  const archive = await archiveOf(host);
  const other = openHost();
  await new Promise((resolve) => setTimeout(resolve, 1600));
  await other.importOrigin(piecesOf(archive), { origin: B });
  for (const existing of ['replace', 'merge'] as const) {
    const b = other.origin(B);
    expect(await b.storageBuckets.keys()).toEqual(['default', 'inbox']);
    for (const name of ['inbox', 'default']) {
      const bucket = await b.storageBuckets.open(name);
      expect([await bucket.durability(), await bucket.expires(), await bucket.persisted(), (await bucket.estimate()).quota]).toEqual(['strict', expires, true, 5_000_000]);
      expect(await (await (await (await bucket.getDirectory()).getFileHandle('f')).getFile()).text()).toBe(`of ${name}`);
      expect(await (await (await bucket.caches.open('c')).match('https://x.example/'))?.text()).toBe(name);
    }
    expect(itemsOf(b)).toEqual([['k', 'v']]);
    expect((await (await b.storage.getDirectory()).entries().next()).done).toBe(true);
    await other.importOrigin(piecesOf(archive), { origin: B, existing });
  }
  for await (const { origin, buckets } of other.origins()) expect([origin, ...buckets.map(({ name }) => name).sort()]).toEqual([B, 'default', 'default', 'inbox']);
});
