import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { StorageClient } from '../../src/host/storage-client.ts';
import '../../src/host/indexed-db/provided.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted, isEncrypted } from '../support/sealed.ts';
import { origin, places } from './support.ts';

const place = places();

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('failed'));
  });
}

function complete(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error ?? new Error('aborted'));
  });
}

async function open(client: StorageClient, name = 'app'): Promise<IDBDatabase> {
  const request = client.indexedDB.open(name, 1);
  request.onupgradeneeded = () => request.result.createObjectStore('store').createIndex('by', 'by');
  return await done(request as unknown as IDBRequest<IDBDatabase>);
}

async function put(database: IDBDatabase, key: string, value: unknown): Promise<void> {
  const transaction = database.transaction('store', 'readwrite');
  transaction.objectStore('store').put(value, key);
  await complete(transaction);
}

async function get(database: IDBDatabase, key: string): Promise<unknown> {
  return await done(database.transaction('store').objectStore('store').get(key));
}

async function restored(): Promise<StorageClient> {
  const { backups, home, host } = place();
  const root = path.join(home, `restored ${fs.readdirSync(home).length}`);
  await StorageHost.restore({ from: backups, root, ...encrypted });
  return host(root).origin(origin);
}

test('a database that is in use comes back with its indexes, large values and Blobs', async () => {
  const { backups, host } = place();
  const database = await open(host().origin(origin), 'of a \ud800 name');
  await put(database, 'small', { by: 3, text: 'one' });
  await put(database, 'large', { by: 2, text: 'x'.repeat(200_000) });
  await put(database, 'blob', { by: 1, blob: new Blob(['content of it'], { type: 'text/plain' }) });
  const made = await host().backup(backups);
  expect(made.problems).toEqual([]);
  await put(database, 'later', { by: 4 });
  const again = await open(await restored(), 'of a \ud800 name');
  expect(await done(again.transaction('store').objectStore('store').index('by').getAllKeys())).toEqual(['blob', 'large', 'small']);
  expect(await get(again, 'large')).toEqual({ by: 2, text: 'x'.repeat(200_000) });
  const { blob } = (await get(again, 'blob')) as { blob: Blob };
  expect(await blob.text()).toBe('content of it');
  await put(again, 'new', { by: 5 });
  again.close();
  database.close();
});

test('a database that was not written to is not read again', async () => {
  const { root, backups, host } = place();
  const first = host();
  const database = await open(first.origin(origin));
  await put(database, 'name', { by: 1, value: 'x'.repeat(200_000) });
  database.close();
  await first.close();
  const then = Date.now() / 1000 - 3600;
  const age = (): void => {
    for (const entry of fs.readdirSync(root, { recursive: true, withFileTypes: true })) {
      if (entry.isFile()) fs.utimesSync(path.join(entry.parentPath, entry.name), then, then);
    }
  };
  age();
  await host().backup(backups);
  age();
  await host().backup(backups);
  const third = await host().backup(backups);
  expect(third.read).toEqual({ files: 0, bytes: 0 });
  const again = await open(await restored());
  expect(await get(again, 'name')).toEqual({ by: 1, value: 'x'.repeat(200_000) });
  again.close();
});

// The name of an encrypted one's directory is another.
test.skipIf(isEncrypted)('one that makes no sense is left out and named, and all else is in the backup', async () => {
  const { root, backups, host } = place();
  const first = host();
  first.origin(origin).localStorage.setItem('name', 'value');
  (await open(first.origin(origin), 'bad')).close();
  (await open(first.origin(origin), 'good')).close();
  await first.close();
  const file = path.join(root, 'origins/https_app.example/default/indexeddb/databases/bad/db');
  fs.writeFileSync(file, Buffer.alloc(8192, 1));
  const { problems } = await host().backup(backups);
  expect(problems).toEqual([expect.objectContaining({ origin, path: 'default/indexeddb/databases/bad', kind: 'left-out' })]);
  const client = await restored();
  expect(client.localStorage.getItem('name')).toBe('value');
  expect(await client.indexedDB.databases()).toEqual([{ name: 'good', version: 1 }]);
});

test('localStorage and databases are of one moment while both are written to', async () => {
  const { backups, host } = place();
  const client = host().origin(origin);
  const database = await open(client);
  let [count, isOver] = [0, false];
  const writing = (async (): Promise<void> => {
    while (!isOver) {
      count += 1;
      // By order: first here, then there.
      client.localStorage.setItem('count', String(count));
      await put(database, 'count', count);
    }
  })();
  for (let round = 0; round < 5; round += 1) {
    const { problems } = await host().backup(backups);
    expect(problems).toEqual([]);
    const again = await restored();
    const copy = await open(again);
    const [first, then] = [Number(again.localStorage.getItem('count')), Number((await get(copy, 'count')) ?? 0)];
    expect([then, then + 1]).toContain(first);
    copy.close();
  }
  isOver = true;
  await writing;
  expect(count).toBeGreaterThan(5);
  database.close();
});
