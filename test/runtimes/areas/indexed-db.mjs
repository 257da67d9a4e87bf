// IndexedDB on the runtime's own SQLite, or on the WASM build where it has none. https://w3c.github.io/IndexedDB/
import assert from 'node:assert/strict';
import process from 'node:process';
import { completed, count, open, settled } from '../kit/indexed-db.mjs';
import { startPeer } from '../kit/peer.mjs';
import { withHost } from '../kit/place.mjs';
import { start } from '../kit/program.mjs';
import { test, until } from '../kit/test.mjs';

const { IDBKeyRange } = await import('holdfast').then(({ install }) => {
  const target = {};
  install({ target, globals: ['indexedDB'], root: './never-made', origin: 'https://app.example' });
  return target;
});

const makeBooks = (db) => {
  const books = db.createObjectStore('books', { keyPath: 'isbn' });
  books.createIndex('author', 'author');
  books.createIndex('tags', 'tags', { multiEntry: true });
  books.createIndex('title', 'title', { unique: true });
  db.createObjectStore('notes', { autoIncrement: true });
};

async function filled(indexedDB) {
  const db = await open(indexedDB, 'library', 1, makeBooks);
  const transaction = db.transaction('books', 'readwrite');
  for (let isbn = 0; isbn < 50; isbn++) transaction.objectStore('books').put({ isbn, author: `author ${isbn % 5}`, title: `title ${isbn}`, tags: ['all', `tag ${isbn % 3}`] });
  await completed(transaction);
  return db;
}

test('records are found by key, range, index and cursor, also by another host', () =>
  withHost(async (_, { indexedDB }) => {
    const db = await filled(indexedDB);
    const books = () => db.transaction('books').objectStore('books');
    assert.equal((await settled(books().get(7))).title, 'title 7');
    assert.equal(await settled(books().get(70)), undefined);
    assert.equal(await settled(books().count(IDBKeyRange.bound(10, 20, false, true))), 10);
    assert.deepEqual(await settled(books().getAllKeys(null, 3)), [0, 1, 2]);
    assert.deepEqual((await settled(books().index('author').getAll('author 2'))).map(({ isbn }) => isbn), [2, 7, 12, 17, 22, 27, 32, 37, 42, 47]);
    assert.equal(await settled(books().index('tags').count('tag 1')), 17);
    const seen = await new Promise((resolve, reject) => {
      const found = [];
      const request = books().index('author').openCursor(null, 'prevunique');
      request.onerror = () => reject(request.error);
      request.onsuccess = () => {
        if (request.result === null) return resolve(found);
        found.push([request.result.key, request.result.primaryKey]);
        request.result.continue();
      };
    });
    assert.deepEqual(seen, [4, 3, 2, 1, 0].map((n) => [`author ${n}`, n]));
    db.close();
  }));

test('values of all kinds come back, Blobs among them', () =>
  withHost(async (_, { indexedDB }) => {
    const db = await open(indexedDB, 'values', 1, (made) => made.createObjectStore('values'));
    const value = {
      date: new Date(5),
      map: new Map([['k', new Set([1, 2n])]]),
      bytes: new Uint8Array([1, 2, 3]),
      error: new RangeError('no'),
      blob: new Blob(['a blob'], { type: 'text/plain' }),
      large: 'x'.repeat(200_000),
    };
    const transaction = db.transaction('values', 'readwrite');
    transaction.objectStore('values').put(value, [1, ['deep', new Date(0)]]);
    await completed(transaction);
    const found = await settled(db.transaction('values').objectStore('values').get([1, ['deep', new Date(0)]]));
    assert.deepEqual([found.date, found.map, found.bytes, found.large.length], [value.date, value.map, value.bytes, 200_000]);
    assert.equal(found.error.message, 'no');
    assert.deepEqual([found.blob.size, found.blob.type, await found.blob.text()], [6, value.blob.type, 'a blob']);
    assert.throws(() => db.transaction('values', 'readwrite').objectStore('values').put(() => 1, 1), { name: 'DataCloneError' });
    db.close();
  }));

test('a transaction that is aborted leaves nothing, and a unique index refuses', () =>
  withHost(async (_, { indexedDB }) => {
    const db = await filled(indexedDB);
    const aborted = db.transaction(['books', 'notes'], 'readwrite');
    aborted.objectStore('books').delete(1);
    aborted.objectStore('notes').add('a note');
    aborted.abort();
    await assert.rejects(completed(aborted));
    const refused = db.transaction('books', 'readwrite');
    await assert.rejects(settled(refused.objectStore('books').add({ isbn: 100, title: 'title 1', tags: [] })), { name: 'ConstraintError' });
    await completed(refused);
    assert.equal(await settled(db.transaction('books').objectStore('books').count()), 50);
    assert.equal(await settled(db.transaction('notes', 'readwrite').objectStore('notes').add('first')), 1);
    db.close();
  }));

test('another process is told that somebody wants to upgrade, and what it wrote is there', () =>
  withHost(async (host, { indexedDB }) => {
    const peer = await startPeer(host.root);
    await peer.ask('openDatabase', 'shared', 1);
    await peer.ask('putRecord', 'k', 'from there');
    const db = await open(indexedDB, 'shared', 2, (made) => made.createObjectStore('more'));
    assert.deepEqual(await peer.eventCount(1), [{ versionchange: [1, 2] }]);
    assert.equal(await settled(db.transaction('records').objectStore('records').get('k')), 'from there');
    db.close();
    await peer.leave();
  }));

test('a killed process leaves the database to others, as it was committed', () =>
  withHost(async (host, { indexedDB }) => {
    const peer = await startPeer(host.root);
    await peer.ask('openDatabase', 'shared', 1);
    await peer.ask('putRecord', 'k', 'committed');
    const db = await open(indexedDB, 'shared', 1);
    await peer.ask('holdTransaction', 'k', 'never');
    const transaction = db.transaction('records', 'readwrite');
    const found = settled(transaction.objectStore('records').get('k'));
    await peer.kill();
    assert.equal(await found, 'committed');
    db.close();
  }));

// On every runtime that is here: they share the file, its locks and the written format.
const others = (process.env.TEST_RUNTIMES ?? '').split(',').filter((name) => name !== '');
for (const group of [others.filter((name) => name !== 'node-20')]) {
  test(`processes of ${group.join(', ') || 'no other runtime'} count in one database`, () =>
    withHost(async (host, { indexedDB }) => {
      const db = await open(indexedDB, 'shared', 1, (made) => made.createObjectStore('counters'));
      const programs = group.map((on) => start('database-counter', { args: [host.root, '25'], on }));
      await count(db, 25);
      for (const program of programs) {
        const { code, stderr } = await program.ended;
        assert.equal(code, 0, stderr);
      }
      await until(async () => (await settled(db.transaction('counters').objectStore('counters').get('all'))) === 25 * (group.length + 1), 'all have counted');
      db.close();
    }));
}
