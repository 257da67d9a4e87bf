import assert from 'node:assert/strict';
import { IDBKeyRange } from '../../../src/indexed-db/key-range.ts';
import type { IDBDatabase } from '../../../src/indexed-db/database.ts';
import type { IDBRecord } from '../../../src/indexed-db/record.ts';
import { ended, opened, result, walked } from '../support/promises.ts';
import { type Bench, runCases } from '../support/cases.ts';

function database({ factory }: Bench): Promise<IDBDatabase> {
  return opened(factory, 'requests', (made) => {
    made.createObjectStore('s').createIndex('n', 'n');
    made.createObjectStore('auto', { keyPath: 'id', autoIncrement: true }).createIndex('u', 'u', { unique: true });
  });
}

async function fill(db: IDBDatabase, count: number): Promise<void> {
  const transaction = db.transaction('s', 'readwrite');
  for (let at = 0; at < count; at++) transaction.objectStore('s').put({ n: at % 10, at }, at);
  assert.equal(await ended(transaction), 'complete');
}

await runCases({
  'each has a turn of its own, in order, also behind one that waits for a file': async (bench) => {
    const db = await database(bench);
    const transaction = db.transaction('s', 'readwrite');
    const store = transaction.objectStore('s');
    const seen: unknown[] = [];
    store.put({ blob: new Blob(['content']) }, 'blob').onsuccess = () => seen.push('blob');
    store.put(new Uint8Array(100_000), 'large').onsuccess = () => seen.push('large');
    for (let at = 0; at < 100; at++) store.get('blob').onsuccess = (event) => seen.push((event.target as unknown as { result: object }).result);
    assert.equal(await ended(transaction), 'complete');
    assert.deepEqual(seen.slice(0, 2), ['blob', 'large']);
    assert.equal(seen.length, 102);
    assert.equal(await (seen[101] as { blob: Blob }).blob.text(), 'content');
  },

  'as many gets at once as there may be are each answered by their own key, whether or not there is a record': async (bench) => {
    const db = await database(bench);
    await fill(db, 40);
    for (const count of [1, 7, 8, 9, 100, 128, 129, 300]) {
      const transaction = db.transaction('s');
      const asked = Array.from({ length: count }, (_, at) => (at * 7) % 50);
      const found = await Promise.all(asked.map((key) => result(transaction.objectStore('s').get(key))));
      assert.deepEqual(found, asked.map((key) => (key < 40 ? { n: key % 10, at: key } : undefined)));
      const byIndex = asked.map((key) => result(transaction.objectStore('s').index('n').get(key)));
      assert.deepEqual(await Promise.all(byIndex), asked.map((key) => (key < 10 ? { n: key, at: key } : undefined)));
    }
    const write = db.transaction('s', 'readwrite').objectStore('s');
    write.put({ at: 'x'.repeat(100_000) }, 'large');
    for (let key = 0; key < 40; key++) write.put({ at: `${key}`.padEnd(10_000) }, key);
    const mixed = [...Array(100).keys()].map((at) => (at === 50 ? 'large' : at % 40));
    const values = await Promise.all(mixed.map((key) => result<{ at: string }>(write.get(key))));
    assert.deepEqual(values.map(({ at }) => at.trim()), mixed.map((key) => (key === 'large' ? 'x'.repeat(100_000) : `${key}`)));
  },

  'a cursor that has read ahead sees what the transaction writes meanwhile': async (bench) => {
    const db = await database(bench);
    await fill(db, 50);
    const store = db.transaction('s', 'readwrite').objectStore('s');
    const keys = await walked(store.openCursor(), (cursor) => {
      if (cursor.key === 10) store.delete(IDBKeyRange.bound(12, 40));
      if (cursor.key === 11) store.put({ n: 0, at: 'new' }, 11.5);
      cursor.continue();
      return cursor.key === 11.5 ? cursor.value : cursor.key;
    });
    assert.deepEqual(keys, [...Array(12).keys(), { n: 0, at: 'new' }, 41, 42, 43, 44, 45, 46, 47, 48, 49]);
  },

  'a cursor goes to keys and by counts, in all directions': async (bench) => {
    const db = await database(bench);
    await fill(db, 300);
    const store = db.transaction('s').objectStore('s');
    const jumps = await walked(store.openKeyCursor(null, 'prev'), (cursor) => {
      if (cursor.key === 299) cursor.continue(200);
      else cursor.advance(90);
      return cursor.key;
    });
    assert.deepEqual(jumps, [299, 200, 110, 20]);
    const unique = await walked(db.transaction('s').objectStore('s').index('n').openKeyCursor(null, 'prevunique'), (cursor) => {
      cursor.continue();
      return [cursor.key, cursor.primaryKey];
    });
    assert.deepEqual(unique, [...Array(10).keys()].reverse().map((n) => [n, n]));
    const places = await walked(db.transaction('s').objectStore('s').index('n').openKeyCursor(IDBKeyRange.only(3)), (cursor) => {
      cursor.continuePrimaryKey(3, (cursor.primaryKey as number) + 95);
      return cursor.primaryKey;
    });
    assert.deepEqual(places, [3, 103, 203]);
  },

  'getAll takes options, and an object without any is no key': async (bench) => {
    const db = await database(bench);
    await fill(db, 30);
    const store = db.transaction('s').objectStore('s');
    const all = [
      result<{ at: number }[]>(store.getAll({ query: IDBKeyRange.lowerBound(5), count: 2, direction: 'prev' })),
      result<number[]>(store.getAllKeys({ count: 3 })),
      result<IDBRecord[]>(store.index('n').getAllRecords({ direction: 'nextunique', count: 2 })),
    ] as const;
    assert.throws(() => store.getAll({}), { name: 'DataError' });
    assert.throws(() => store.getAll({ direction: 'up' }), TypeError);
    assert.throws(() => store.getAll({ count: -1 }), TypeError);
    const [values, keys, records] = await Promise.all(all);
    assert.deepEqual(values.map(({ at }) => at), [29, 28]);
    assert.deepEqual(keys, [0, 1, 2]);
    assert.deepEqual(records.map(({ key, primaryKey, value }) => [key, primaryKey, value]), [
      [0, 0, { n: 0, at: 0 }],
      [1, 1, { n: 1, at: 1 }],
    ]);
  },

  'a record that is refused uses up no key': async (bench) => {
    const db = await database(bench);
    const store = db.transaction('auto', 'readwrite').objectStore('auto');
    assert.equal(await result(store.add({ u: 'a' })), 1);
    await assert.rejects(result(store.add({ u: 'a' })), { name: 'ConstraintError' });
    await assert.rejects(result(store.add({ u: 'a', id: 50 })), { name: 'ConstraintError' });
    assert.equal(await result(store.add({ u: 'b' })), 2);
    assert.deepEqual(await result(store.get(2)), { u: 'b', id: 2 });
  },

  'a getter that ends the transaction has its value refused': async (bench) => {
    const db = await database(bench);
    const transaction = db.transaction('s', 'readwrite');
    const end = ended(transaction);
    const value = {
      get trap() {
        transaction.abort();
        return 1;
      },
    };
    assert.throws(() => transaction.objectStore('s').put(value, 1), { name: 'TransactionInactiveError' });
    assert.equal(await end, 'abort');
  },

  'what takes long leaves the event loop its turns': async (bench) => {
    const db = await database(bench);
    const write = db.transaction('s', 'readwrite');
    // To read all of them takes many times what one turn may.
    const value = Array.from({ length: 300 }, (_, n) => ({ n }));
    for (let at = 0; at < 2000; at++) write.objectStore('s').put(value, at);
    assert.equal(await ended(write), 'complete');
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    setImmediate(count);
    const values = await result<unknown[]>(db.transaction('s').objectStore('s').getAll());
    isOver = true;
    assert.equal(values.length, 2000);
    assert.ok(turns > 4, `${turns} turns`);
  },
});
