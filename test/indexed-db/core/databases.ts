import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { freeOfCharge, OverQuotaError } from '../../../src/disk/quota/ledger.ts';
import { RecordsUnavailableError } from '../../../src/disk/records/records-error.ts';
import { createFactory, endFactory } from '../../../src/indexed-db/index.ts';
import type { IDBDatabase } from '../../../src/indexed-db/database.ts';
import { ended, opened, result } from '../support/promises.ts';
import { runCases } from '../support/cases.ts';
import { isEncrypted } from '../../support/sealed.ts';
import { directoryOf, placeAt } from '../support/place.ts';

/** What happens to a connection and to a request, in order. */
function watched(seen: string[], name: string, target: EventTarget, ...types: readonly string[]): void {
  for (const type of types) target.addEventListener(type, (event) => seen.push(`${name} ${event.type}`));
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    assert.ok(waited < 20_000, String(condition));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

await runCases({
  'factories of one bucket share what is open': async ({ place, factory }) => {
    const other = createFactory(place);
    const db = await opened(factory, 'shared', (made) => made.createObjectStore('s'));
    const seen: string[] = [];
    watched(seen, 'first', db, 'versionchange', 'close');
    const request = other.open('shared', 2);
    watched(seen, 'second', request, 'blocked', 'upgradeneeded', 'success');
    request.addEventListener('blocked', () => db.close());
    const second = await result<IDBDatabase>(request);
    assert.deepEqual(seen, ['first versionchange', 'second blocked', 'second upgradeneeded', 'second success']);
    assert.equal(second.version, 2);
    await endFactory(other);
  },

  'a client that ends aborts what it runs, and opens nothing more': async ({ place, factory }) => {
    const other = createFactory(place);
    const db = await opened(other, 'ended', (made) => made.createObjectStore('s'));
    const seen: string[] = [];
    watched(seen, 'connection', db, 'abort', 'close');
    const transaction = db.transaction('s', 'readwrite');
    const end = ended(transaction);
    transaction.objectStore('s').put(1, 1);
    await endFactory(other);
    assert.equal(await end, 'AbortError');
    assert.throws(() => other.open('ended'), { name: 'InvalidStateError' });
    assert.throws(() => db.transaction('s'), { name: 'InvalidStateError' });
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(seen, ['connection abort', 'connection close']);
    const again = await opened(factory, 'ended', undefined, 1);
    assert.equal(await result(again.transaction('s').objectStore('s').count()), 0);
  },

  'an index finds the records that are there, and aborts the upgrade where it cannot be unique': async ({ factory }) => {
    const first = await opened(factory, 'filled', (made) => {
      const store = made.createObjectStore('s');
      for (let at = 0; at < 200; at++) store.put({ at, tags: [at, 'all'], file: new Blob(['x'.repeat(at % 3)]) }, at);
    });
    first.close();
    const second = await opened(
      factory,
      'filled',
      (_, transaction) => {
        const store = transaction.objectStore('s');
        store.createIndex('tags', 'tags', { multiEntry: true });
        store.createIndex('size', 'file.size');
      },
      2,
    );
    const indexes = second.transaction('s').objectStore('s');
    assert.equal(await result(indexes.index('tags').count('all')), 200);
    assert.equal(await result(indexes.index('tags').getKey(150)), 150);
    assert.equal(await result(indexes.index('size').count(2)), 66);
    second.close();
    let seen: (() => unknown) | undefined;
    const refused = opened(
      factory,
      'filled',
      (made, transaction) => {
        const store = transaction.objectStore('s');
        store.name = 'renamed';
        store.deleteIndex('size');
        store.createIndex('no', 'file.size', { unique: true });
        seen = () => [store.name, [...store.indexNames], made.version, [...made.objectStoreNames]];
      },
      3,
    );
    await assert.rejects(refused, (error: DOMException) => error.name === 'AbortError' && (error.cause as DOMException).name === 'ConstraintError');
    assert.deepEqual(seen?.(), ['s', ['size', 'tags'], 2, ['s']]);
    const third = await opened(factory, 'filled', undefined, 2);
    assert.deepEqual([...third.transaction('s').objectStore('s').indexNames], ['size', 'tags']);
  },

  'a transaction that writes may wait for open() and databases()': async ({ factory }) => {
    (await opened(factory, 'other', undefined, 3)).close();
    const db = await opened(factory, 'awaited', (made) => made.createObjectStore('s'), 2);
    const transaction = db.transaction('s', 'readwrite');
    const end = ended(transaction);
    let isOver = false;
    const goOn = (): void => {
      if (!isOver) transaction.objectStore('s').put(1, 1).onsuccess = goOn;
    };
    goOn();
    const second = await opened(factory, 'awaited', undefined, 2);
    assert.deepEqual([...second.objectStoreNames], ['s']);
    const all = (await factory.databases()).sort((a, b) => a.version - b.version);
    assert.deepEqual(all, [{ name: 'awaited', version: 2 }, { name: 'other', version: 3 }]);
    await assert.rejects(opened(factory, 'awaited', undefined, 1), { name: 'VersionError' });
    isOver = true;
    assert.equal(await end, 'complete');
    second.close();
    db.close();
    // Nobody has it open now, so others may change it.
    const third = await opened(factory, 'awaited', (made) => made.createObjectStore('t'), 3);
    assert.deepEqual([...(await opened(factory, 'awaited', undefined, 3)).objectStoreNames], ['s', 't']);
    third.close();
  },

  'a database whose first upgrade is aborted is not there': async ({ factory }) => {
    await assert.rejects(opened(factory, 'never', (_, transaction) => transaction.abort()), { name: 'AbortError' });
    assert.deepEqual(await factory.databases(), []);
    const db = await opened(factory, 'never', undefined, 7);
    assert.deepEqual(await factory.databases(), [{ name: 'never', version: 7 }]);
    db.close();
    await result(factory.deleteDatabase('never'));
    assert.deepEqual(await factory.databases(), []);
  },

  'where there can be none, requests fail, and the next asks again': async ({ place }) => {
    let asked = 0;
    const refusing = createFactory({
      databases: place.databases,
      locks: place.locks,
      platform: place.platform,
      ready: () => (++asked === 1 ? Promise.reject(new RecordsUnavailableError('no SQLite here')) : Promise.resolve()),
    });
    await assert.rejects(result(refusing.open('x')), { name: 'NotSupportedError', message: /no SQLite here/ });
    assert.equal((await result<IDBDatabase>(refusing.open('x'))).version, 1);
    await endFactory(refusing);
  },

  'one that is damaged fails by the name of its file, others go on, and it can be deleted': async ({ place, factory }) => {
    const other = await opened(factory, 'sound', (made) => made.createObjectStore('s'));
    const db = await opened(factory, 'damaged', (made) => made.createObjectStore('s'));
    db.close();
    const directory = directoryOf(place, 'damaged');
    // Its log would be enough to make it anew.
    for (const file of ['db-wal', 'db-shm']) fs.rmSync(path.join(directory, file), { force: true });
    fs.writeFileSync(path.join(directory, 'db'), 'this is no database at all'.repeat(1000));
    await assert.rejects(result(factory.open('damaged')), (error: DOMException) => error.name === 'UnknownError' && error.message.includes(directory));
    const write = other.transaction('s', 'readwrite');
    write.objectStore('s').put('goes on', 1);
    assert.equal(await ended(write), 'complete');
    assert.equal(await result(other.transaction('s').objectStore('s').get(1)), 'goes on');
    await result(factory.deleteDatabase('damaged'));
    assert.equal((await opened(factory, 'damaged', undefined, 3)).version, 3);
  },

  // An encrypted page that was changed is damaged, whatever it says: no newer Holdfast writes one without the key.
  ...(!isEncrypted && {
    'one that a newer Holdfast has made is refused as such, and stays as it is': async ({ place, factory }) => {
      const db = await opened(factory, 'newer', (made) => made.createObjectStore('s'), 7);
      db.close();
      const file = path.join(directoryOf(place, 'newer'), 'db');
      for (const beside of [`${file}-wal`, `${file}-shm`]) fs.rmSync(beside, { force: true });
      const bytes = fs.readFileSync(file);
      bytes.writeUInt32BE(99, 60); // https://www.sqlite.org/fileformat.html#user_version_number
      fs.writeFileSync(file, bytes);
      for (const version of [undefined, 1, 8]) {
        await assert.rejects(result(factory.open('newer', version)), (error: DOMException) => error.name === 'UnknownError' && (error.cause as { code?: string }).code === 'root-newer');
      }
      assert.deepEqual(fs.readFileSync(file), bytes);
    },
  }),

  'names are any strings, lone surrogates too, and none is taken for another': async ({ factory }) => {
    const names = ['', '\ud800', '\udc00', '\ufffd', '\ud800\udc00', '\udc00\ud800'];
    for (const name of names) {
      const made = await opened(factory, name, (db) => {
        for (const store of names) db.createObjectStore(store).createIndex(name, 'key');
      });
      const write = made.transaction(names, 'readwrite');
      for (const store of names) write.objectStore(store).put({ key: '\udfff' }, name);
      assert.equal(await ended(write), 'complete');
      made.close();
    }
    const there = (await factory.databases()).map(({ name = '' }) => name);
    assert.deepEqual(there.sort(), [...names].sort());
    for (const name of names) {
      const db = await opened(factory, name);
      assert.deepEqual([...db.objectStoreNames].sort(), [...names].sort());
      const store = db.transaction('\udc00').objectStore('\udc00');
      assert.deepEqual([...store.indexNames], [name]);
      assert.deepEqual(await result(store.index(name).getAllKeys('\udfff')), [name]);
      assert.throws(() => db.transaction('\udbff'), { name: 'NotFoundError' });
      db.close();
    }
  },

  'a Blob that was read is readable when its record is gone': async ({ place, factory }) => {
    const db = await opened(factory, 'blobs', (made) => made.createObjectStore('s'));
    const write = db.transaction('s', 'readwrite');
    const file = new File(['the content'], 'name.txt', { type: 'text/plain', lastModified: 12345 });
    write.objectStore('s').put({ file, same: file, blob: new Blob(['another'], { type: 'a/b' }) }, 1);
    assert.equal(await ended(write), 'complete');
    const read = await result<{ file: File; same: File; blob: Blob }>(db.transaction('s').objectStore('s').get(1));
    await result(db.transaction('s', 'readwrite').objectStore('s').put(new Blob(['nobody reads this']), 2));
    await result(db.transaction('s', 'readwrite').objectStore('s').clear());
    // The file of the one that nobody has read goes, and then the others would have gone too.
    const files = path.join(directoryOf(place, 'blobs'), 'blobs');
    while (fs.readdirSync(files).length > 2) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(read.file, read.same);
    assert.deepEqual([Object.getPrototypeOf(read.file), Object.getPrototypeOf(read.blob)], [File.prototype, Blob.prototype]);
    assert.deepEqual([read.file.name, read.file.type, read.file.lastModified, read.file.size], ['name.txt', file.type, 12345, 11]);
    assert.equal(await read.file.text(), 'the content');
    assert.deepEqual([await read.blob.slice(0, 3).text(), read.blob.type, Object.prototype.toString.call(read.blob)], ['ano', 'a/b', '[object Blob]']);
  },

  'a Blob that was read is put again without being copied, and its file goes with the last record': async ({ place, factory }) => {
    const db = await opened(factory, 'shared', (made) => made.createObjectStore('s'));
    const files = path.join(directoryOf(place, 'shared'), 'blobs');
    await result(db.transaction('s', 'readwrite').objectStore('s').put({ blob: new File(['x'.repeat(1000)], 'n.txt') }, 1));
    const written = fs.readdirSync(files);
    const again = db.transaction('s', 'readwrite');
    const { blob } = await result<{ blob: File }>(again.objectStore('s').get(1));
    again.objectStore('s').put({ of: [blob, { blob }], part: blob.slice(0, 3) }, 2);
    again.objectStore('s').put(blob, 3);
    again.objectStore('s').delete(1);
    assert.equal(await ended(again), 'complete');
    assert.equal(fs.readdirSync(files).filter((name) => !written.includes(name)).length, 1, 'only the slice is a file of its own');
    const store = db.transaction('s').objectStore('s');
    const [two, three] = await Promise.all([result<{ of: [File, { blob: File }]; part: Blob }>(store.get(2)), result<File>(store.get(3))]);
    assert.deepEqual([two.of[0], await two.of[0].text(), await two.part.text()], [two.of[1].blob, 'x'.repeat(1000), 'xxx']);
    assert.deepEqual([await three.text(), three.name], ['x'.repeat(1000), 'n.txt']);
    const other = await opened(factory, 'another', (made) => made.createObjectStore('s'));
    await result(other.transaction('s', 'readwrite').objectStore('s').put(three, 1));
    assert.equal(await (await result<File>(other.transaction('s').objectStore('s').get(1))).text(), 'x'.repeat(1000));
  },

  'a Blob that was read is readable when its database is gone, and then its file goes': async ({ place, factory }) => {
    const db = await opened(factory, 'gone', (made) => made.createObjectStore('s'));
    const write = db.transaction('s', 'readwrite');
    for (const at of [1, 2]) write.objectStore('s').put(new Blob([`the content of ${at}`]), at);
    assert.equal(await ended(write), 'complete');
    const directory = path.join(place.path, 'indexeddb', 'databases');
    const read = async (): Promise<void> => {
      const blob = await result<Blob>(db.transaction('s').objectStore('s').get(1));
      db.close();
      await result(factory.deleteDatabase('gone'));
      assert.deepEqual(await factory.databases(), []);
      await until(() => fs.readdirSync(directory, { recursive: true }).length <= 4);
      assert.equal(await blob.text(), 'the content of 1');
      const again = await opened(factory, 'gone', (made) => made.createObjectStore('s'));
      await result(again.transaction('s', 'readwrite').objectStore('s').put(blob, 1));
      assert.equal(await (await result<Blob>(again.transaction('s').objectStore('s').get(1))).text(), 'the content of 1');
      assert.equal(await blob.slice(4, 11).text(), 'content');
    };
    await read();
    await until(() => {
      collectGarbage();
      return fs.readdirSync(directory).length === 1;
    });
  },

  'what exceeds the quota aborts its transaction, and what fits goes on': async ({ place }) => {
    let used = 0;
    const limit = 2 ** 20;
    const charge = (bytes: number): void => {
      if (used + bytes > limit) throw new OverQuotaError('the quota does not suffice', limit, used + bytes);
      used += bytes;
    };
    const refund = (bytes: number): void => void (used -= bytes);
    const small = placeAt(path.join(place.path, 'small'), { ...freeOfCharge, charge, refund, free: refund });
    const factory = createFactory(small);
    const db = await opened(factory, 'quota', (made) => made.createObjectStore('s'));
    for (const value of ['x'.repeat(60_000), new Uint8Array(300_000), new Blob(['x'.repeat(300_000)])]) {
      const transaction = db.transaction('s', 'readwrite');
      const end = ended(transaction);
      const store = transaction.objectStore('s');
      for (let at = 0; at < 40; at++) store.put(value, at).onerror = (event) => event.preventDefault();
      assert.equal(await end, 'QuotaExceededError');
    }
    assert.equal(await result(db.transaction('s').objectStore('s').count()), 0);
    const transaction = db.transaction('s', 'readwrite');
    transaction.objectStore('s').put('fits', 1);
    assert.equal(await ended(transaction), 'complete');
    await endFactory(factory);
    await small.close();
  },

  'a Blob without a stream, as of jsdom, is stored, and one that nobody can read is refused': async ({ factory }) => {
    const db = await opened(factory, 'foreign', (made) => made.createObjectStore('s'));
    const store = db.transaction('s', 'readwrite').objectStore('s');
    const large = 'x'.repeat(2_500_000) + 'end';
    for (const [key, text] of ['', 'text', large].entries()) store.put(Object.assign(new Blob([text]), { stream: undefined }), key);
    assert.throws(() => store.put(Object.assign(new Blob(['text']), { arrayBuffer: undefined }), 3), { name: 'DataCloneError' });
    const read = await result<Blob[]>(store.getAll());
    assert.deepEqual(await Promise.all(read.map((blob) => blob.text())), ['', 'text', large]);
  },

  'a Blob that cannot be read fails its request alone': async ({ factory }) => {
    const db = await opened(factory, 'unreadable', (made) => made.createObjectStore('s'));
    const transaction = db.transaction('s', 'readwrite');
    const end = ended(transaction);
    const blob = new Blob(['x']);
    Object.defineProperty(blob, 'stream', { value: () => new ReadableStream({ pull: (controller) => controller.error(new DOMException('gone', 'NotReadableError')) }) });
    // It has failed long before it is its turn.
    transaction.objectStore('s').put(new Blob(['x'.repeat(5_000_000)]), 3);
    const failed = result(transaction.objectStore('s').put(blob, 1));
    const kept = result(transaction.objectStore('s').put('kept', 2));
    await assert.rejects(failed, { name: 'NotReadableError' });
    assert.equal(await kept, 2);
    assert.equal(await end, 'complete');
  },
});
