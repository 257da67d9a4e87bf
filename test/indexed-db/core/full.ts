import assert from 'node:assert/strict';
import process from 'node:process';
import type { IDBDatabase } from '../../../src/indexed-db/database.ts';
import { runCases } from '../support/cases.ts';
import { ended, opened, result } from '../support/promises.ts';

// SQLite's own "database or disk is full", of real connections: they are given hardly more pages than they have.

interface Connection {
  exec(sql: string): void;
  prepare(sql: string): { get(): { readonly n: number } };
}

const connections = new Set<Connection>();
const sqlite = process.getBuiltinModule('node:sqlite') as unknown as { DatabaseSync: new (path: string, options: object) => Connection & { close(): void } };

sqlite.DatabaseSync = class extends sqlite.DatabaseSync {
  constructor(path: string, options: object) {
    super(path, options);
    connections.add(this);
  }

  override close(): void {
    connections.delete(this);
    super.close();
  }
};

function leaveRoom(pages: number): void {
  assert(connections.size > 0);
  for (const connection of connections) {
    const { n } = connection.prepare('SELECT page_count AS n FROM pragma_page_count').get();
    connection.exec(`PRAGMA max_page_count = ${n + pages}`);
  }
}

const value = (id: number): object => ({ id, name: `name ${id % 7}`, text: 'x'.repeat(1000) });

async function started(factory: Parameters<typeof opened>[0], name: string): Promise<IDBDatabase> {
  const db = await opened(factory, name, (made) => made.createObjectStore('s', { keyPath: 'id' }).createIndex('name', 'name'));
  const first = db.transaction('s', 'readwrite');
  for (let id = 0; id < 20; id++) first.objectStore('s').put(value(id));
  assert.equal(await ended(first), 'complete');
  return db;
}

function filling(db: IDBDatabase, durability: 'relaxed' | 'strict'): Promise<string> {
  const transaction = db.transaction('s', 'readwrite', { durability });
  for (let id = 20; id < 1000; id++) transaction.objectStore('s').put(value(id));
  return ended(transaction);
}

async function isAsBefore(db: IDBDatabase, count: number): Promise<void> {
  const store = db.transaction('s').objectStore('s');
  assert.deepEqual(await result(store.getAll()), Array.from({ length: count }, (_, id) => value(id)));
  assert.equal(await result(store.index('name').count()), count);
}

await runCases({
  'a transaction that fills the disk is aborted by name, and leaves what was there': async ({ factory }) => {
    const db = await started(factory, 'full');
    for (const durability of ['relaxed', 'strict'] as const) {
      leaveRoom(3);
      assert.equal(await filling(db, durability), 'QuotaExceededError');
      await isAsBefore(db, 20);
    }
    leaveRoom(2 ** 30);
    assert.equal(await filling(db, 'relaxed'), 'complete');
    db.close();
    await isAsBefore(await opened(factory, 'full'), 1000);
  },

  'while the disk is full records can be read, and deleted': async ({ factory }) => {
    const db = await started(factory, 'full');
    leaveRoom(0);
    assert.equal(await filling(db, 'relaxed'), 'QuotaExceededError');
    const erasing = db.transaction('s', 'readwrite');
    for (let id = 10; id < 20; id++) erasing.objectStore('s').delete(id);
    assert.equal(await ended(erasing), 'complete');
    await isAsBefore(db, 10);
  },

  'an upgrade that fills the disk leaves the version that was there': async ({ factory }) => {
    (await started(factory, 'full')).close();
    const request = factory.open('full', 2);
    request.onupgradeneeded = () => {
      leaveRoom(3);
      const store = (request.result as IDBDatabase).createObjectStore('more');
      for (let id = 0; id < 300; id++) store.put(value(id), id);
    };
    await assert.rejects(result(request), { name: 'AbortError' });
    const db = await opened(factory, 'full');
    assert.equal(db.version, 1);
    await isAsBefore(db, 20);
  },
});
