import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import '../../src/host/indexed-db/provided.ts';
import type { IDBDatabase } from '../../src/indexed-db/database.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { bucketOf, ORIGIN, temporary, verify } from './sample.ts';

/** A root with a database of some records, one of them with a Blob, which nobody has open. */
async function rootWithDatabase(): Promise<{ root: string; database: string }> {
  const root = path.join(temporary(), 'root');
  const host = new StorageHost({ root });
  const db = await new Promise<IDBDatabase>((resolve, reject) => {
    const request = host.origin(ORIGIN).indexedDB.open('db', 1);
    request.onupgradeneeded = () => void request.result.createObjectStore('records').createIndex('n', 'n');
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as unknown as Error);
  });
  const transaction = db.transaction('records', 'readwrite');
  for (let n = 0; n < 200; n += 1) transaction.objectStore('records').put({ n, text: 'x'.repeat(100) }, n);
  transaction.objectStore('records').put(new Blob(['bytes']), 'blob');
  await new Promise((resolve) => (transaction.oncomplete = resolve));
  await host.close();
  const databases = path.join(bucketOf(root), 'indexeddb', 'databases');
  return { root, database: path.join(databases, fs.readdirSync(databases)[0] ?? '') };
}

const kindsOf = (root: string): [string, string][] => verify(root).findings.map(({ kind, path: at }) => [kind, path.basename(at)]);

test('a database that nothing happened to is sound, and is not changed by the look', async () => {
  const { root, database } = await rootWithDatabase();
  const before = fs.readFileSync(path.join(database, 'db'));
  expect(kindsOf(root)).toEqual([]);
  expect(fs.readFileSync(path.join(database, 'db')).equals(before)).toBe(true);
});

test.each([
  ['that is no SQLite file', (database: string) => fs.writeFileSync(path.join(database, 'db'), 'nothing of the kind'), [['damaged', 'db']]],
  ['without its file', (database: string) => fs.rmSync(path.join(database, 'db')), [['damaged', 'db']]],
  ['without its description', (database: string) => fs.rmSync(path.join(database, 'database.json')), [['damaged', 'db']]],
])('a database %s is found', async (_, spoil, found) => {
  const { root, database } = await rootWithDatabase();
  spoil(database);
  const kinds = kindsOf(root);
  expect(kinds).toHaveLength(found.length);
  expect(kinds[0]?.[0]).toBe('damaged');
});

/** The test's own runtime has SQLite of its own from Node 22.13 on; an older one has another look from outside only. */
const hasSqlite = process.getBuiltinModule('node:sqlite') !== undefined;

test.runIf(hasSqlite)('a damaged page and a missing Blob are found', async () => {
  const { root, database } = await rootWithDatabase();
  const [blob = ''] = fs.readdirSync(path.join(database, 'blobs'));
  fs.rmSync(path.join(database, 'blobs', blob));
  expect(kindsOf(root)).toEqual([['damaged', blob]]);
  const file = path.join(database, 'db');
  const bytes = fs.readFileSync(file);
  bytes.fill(0x5a, bytes.length - 4096);
  fs.writeFileSync(file, bytes);
  expect(kindsOf(root).some(([kind, name]) => kind === 'damaged' && name === 'db')).toBe(true);
});

test('the command names the file', async () => {
  const { root, database } = await rootWithDatabase();
  fs.writeFileSync(path.join(database, 'db'), 'nothing of the kind');
  const run = (): string => execFileSync(process.execPath, ['dist/cli.js', 'verify', '--root', root], { encoding: 'utf8', stdio: 'pipe' });
  expect(run).toThrow();
});
