import assert from 'node:assert';
import fs from 'node:fs';
import fc from 'fast-check';
import { encodeKey, type EncodedKey } from '../../../src/disk/records/key.ts';
import type { Direction, Put, Query, Range, ReadTransaction, StoredRecord, UpgradeTransaction, WriteTransaction } from '../../../src/disk/records/record-database.ts';
import type { SqliteDatabases } from '../../../src/disk/records/databases.ts';
import { driverNamed } from '../../../src/disk/records/drivers.ts';
import { databasesAt, newBucket, run } from '../support/databases.ts';
import { Model, type ModelPlace } from '../support/model.ts';

/** Few keys, so that they meet. */
const keyOf = (n: number): EncodedKey => encodeKey(n < 12 ? n : n < 16 ? `k${n}` : [n % 3, 'x']) as EncodedKey;
const key = fc.nat(19).map(keyOf);
const bounds = fc.record({ lower: fc.option(key), upper: fc.option(key), lowerOpen: fc.boolean(), upperOpen: fc.boolean() });
const range: fc.Arbitrary<Range> = fc.oneof(bounds, key.map((only) => ({ lower: only, upper: only, lowerOpen: false, upperOpen: false })));
const direction = fc.constantFrom<Direction>('next', 'nextunique', 'prev', 'prevunique');
const bytes = fc.oneof({ weight: 9, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 8 }) }, { weight: 1, arbitrary: fc.nat(255).map((fill) => new Uint8Array(66_000).fill(fill)) });

type Work =
  | { readonly do: 'put'; readonly at: number; readonly key: EncodedKey; readonly bytes: Uint8Array; readonly overwrite: boolean; readonly entries: readonly (readonly EncodedKey[])[] }
  | { readonly do: 'delete'; readonly at: number; readonly range: Range }
  | { readonly do: 'clear'; readonly at: number }
  | { readonly do: 'generate'; readonly at: number }
  | { readonly do: 'raise'; readonly at: number; readonly to: number }
  | { readonly do: 'look'; readonly query: Omit<Query, 'store' | 'index'>; readonly at: number; readonly index: number; readonly place: number }
  | { readonly do: 'createStore' | 'deleteStore' | 'renameStore' | 'deleteIndex' | 'renameIndex'; readonly at: number }
  | { readonly do: 'createIndex'; readonly at: number; readonly unique: boolean; readonly entries: readonly EncodedKey[] };

const at = fc.nat(30);
const query = fc.record({ range: fc.option(range), direction, values: fc.boolean() }, { requiredKeys: ['range', 'direction', 'values'] });
const work: fc.Arbitrary<Work> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('put' as const), at, key, bytes, overwrite: fc.boolean(), entries: fc.array(fc.uniqueArray(fc.nat(7), { maxLength: 3 }).map((all) => all.map(keyOf)), { maxLength: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), at, range }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('generate' as const), at }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('raise' as const), at, to: fc.oneof(fc.integer({ min: -3, max: 40 }), fc.double({ noNaN: true }), fc.constantFrom(2 ** 53, 2 ** 53 - 1)) }) },
  { weight: 12, arbitrary: fc.record({ do: fc.constant('look' as const), at, index: fc.nat(3), query, place: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('createStore' as const, 'deleteStore' as const, 'renameStore' as const, 'deleteIndex' as const, 'renameIndex' as const), at }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('createIndex' as const), at, unique: fc.boolean(), entries: fc.array(key, { maxLength: 4 }) }) },
);
interface Transaction {
  readonly works: readonly Work[];
  readonly isUpgrade: boolean;
  readonly end: 'commit' | 'strict' | 'rollback';
  /** Whether somebody goes on to read the state before it. */
  readonly keepReader: boolean;
  readonly reopen: boolean;
}

const transaction: fc.Arbitrary<Transaction> = fc.record({ works: fc.array(work, { maxLength: 14 }), isUpgrade: fc.boolean(), end: fc.constantFrom('commit' as const, 'commit' as const, 'strict' as const, 'rollback' as const), keepReader: fc.boolean(), reopen: fc.boolean() });

/** One transaction that writes, on the database and on its model. */
class Both {
  readonly #write: WriteTransaction | UpgradeTransaction;
  readonly #isUpgrade: boolean;
  model: Model;

  constructor(write: WriteTransaction | UpgradeTransaction, isUpgrade: boolean, model: Model) {
    this.#write = write;
    this.#isUpgrade = isUpgrade;
    this.model = model;
  }

  do(work: Work): void {
    if (work.do === 'createStore') return this.#createStore();
    const ids = [...this.model.stores.keys()];
    const store = ids[work.at % Math.max(1, ids.length)];
    if (store === undefined) return;
    if (work.do === 'put') this.#put(store, work);
    else if (work.do === 'delete') this.#delete(store, work.range);
    else if (work.do === 'clear') this.#clear(store);
    else if (work.do === 'generate') this.#generate(store);
    else if (work.do === 'raise') this.#raise(store, work.to);
    else if (work.do === 'look') look(this.#write, this.model, store, work);
    else if (this.#isUpgrade) this.#upgrade(this.#write as UpgradeTransaction, store, work);
  }

  #put(store: number, work: Work & { do: 'put' }): void {
    const { indexes } = this.model.store(store);
    const indexKeys = indexes.flatMap(({ id }, nth) => (work.entries[nth] === undefined ? [] : [{ index: id, keys: work.entries[nth] }]));
    const put: Put = { store, key: work.key, value: { bytes: work.bytes, blobs: [] }, indexKeys, overwrite: work.overwrite };
    const { model, refusal } = this.model.put(put);
    assert.deepStrictEqual(this.#write.put(put), refusal);
    this.model = model;
  }

  #delete(store: number, range: Range): void {
    run(this.#write.delete(store, range));
    this.model = this.model.delete(store, range);
  }

  #clear(store: number): void {
    run(this.#write.clear(store));
    this.model = this.model.with(store, { records: [] });
  }

  #generate(store: number): void {
    const { next } = this.model.store(store);
    // What is not used stays the next.
    for (let asked = 0; asked < 2; asked++) assert.strictEqual(this.#write.generateKey(store), next > 2 ** 53 ? null : next);
    if (next <= 2 ** 53) this.#raise(store, next);
  }

  #raise(store: number, to: number): void {
    this.#write.raiseKeyGenerator(store, to);
    const value = Math.floor(Math.min(to, 2 ** 53));
    if (value >= this.model.store(store).next) this.#setNext(store, value);
  }

  #setNext(store: number, used: number): void {
    this.model = this.model.with(store, { next: used === 2 ** 53 ? Infinity : used + 1 });
  }

  #createStore(): void {
    if (!this.#isUpgrade || this.model.stores.size > 3) return;
    const { id } = (this.#write as UpgradeTransaction).createStore(`s\ud800${Math.random()}`, ['a', 'b.c'], true);
    this.model = this.model.with(id, {});
  }

  #upgrade(upgrade: UpgradeTransaction, store: number, work: Work): void {
    const { indexes } = this.model.store(store);
    const index = indexes[work.at % Math.max(1, indexes.length)];
    if (work.do === 'deleteStore') {
      run(upgrade.deleteStore(store));
      this.model = this.model.without(store);
    } else if (work.do === 'renameStore') upgrade.renameStore(store, `renamed\udfff${work.at}`);
    else if (work.do === 'createIndex' && indexes.length < 3) this.#createIndex(upgrade, store, work);
    else if (work.do === 'deleteIndex' && index !== undefined) {
      run(upgrade.deleteIndex(store, index.id));
      this.model = this.model.with(store, { indexes: indexes.filter(({ id }) => id !== index.id) });
    } else if (work.do === 'renameIndex' && index !== undefined) upgrade.renameIndex(store, index.id, `renamed${work.at}`);
  }

  /** Fills it as long as nothing is refused. */
  #createIndex(upgrade: UpgradeTransaction, store: number, { unique, entries }: Work & { do: 'createIndex' }): void {
    const index = upgrade.createIndex(store, { name: 'i', keyPath: 'x', unique, multiEntry: true });
    this.model = this.model.with(store, { indexes: [...this.model.store(store).indexes, index] });
    for (const [nth, record] of this.model.store(store).records.entries()) {
      const keys = entries.slice(nth % 4, (nth % 4) + 2).filter((entry, at, all) => all.findIndex((other) => Buffer.compare(other, entry) === 0) === at);
      const indexKeys = [...record.indexKeys, [index.id, keys] as const].map(([id, of]) => ({ index: id, keys: of }));
      const put: Put = { store, key: record.key, value: { bytes: record.value, blobs: record.blobs }, indexKeys, overwrite: true };
      const { model, refusal } = this.model.put(put);
      const isRefused = refusal?.constraint === 'index' && refusal.index === index.id;
      assert.deepStrictEqual(upgrade.fillIndex(store, record.key, { index: index.id, keys }), isRefused ? refusal : null);
      if (isRefused) return;
      this.model = model;
    }
  }
}

function look(transaction: ReadTransaction, model: Model, store: number, work: Work & { do: 'look' }): void {
  const { indexes } = model.store(store);
  const index = work.index === 0 ? null : (indexes[work.index - 1]?.id ?? null);
  check(transaction, model, { ...work.query, store, index });
  checkValues(transaction, store, index);
  // From a place in the middle on, and from the key of another.
  const places = model.places({ store, index, range: null, direction: 'next', values: false });
  const place = places[work.place % Math.max(1, places.length)];
  const other = places[(work.place * 7) % Math.max(1, places.length)];
  if (place === undefined || other === undefined) return;
  check(transaction, model, { ...work.query, store, index, after: place });
  check(transaction, model, { ...work.query, store, index, after: place, from: { key: other.key } });
  check(transaction, model, { ...work.query, store, index, after: place, from: { key: other.key, primaryKey: other.primaryKey } });
}

function check(transaction: ReadTransaction, model: Model, query: Query): void {
  const expected = model.places(query);
  // Row by row at first, and all as one row.
  for (const wanted of [undefined, 64]) {
    const found: StoredRecord[] = [];
    const scan = transaction.scan(query, wanted);
    for (let record = scan.next(); record !== undefined; record = scan.next()) found.push(record);
    scan.close();
    assert.strictEqual(found.length, expected.length, JSON.stringify(query));
    for (const [at, record] of found.entries()) checkRecord(record, expected[at] as ModelPlace, query);
  }
  const first = transaction.first(query);
  assert.strictEqual(first === undefined, expected.length === 0);
  if (first !== undefined) checkRecord(first, expected[0] as ModelPlace, query);
  if (query.after !== undefined) return;
  assert.strictEqual(run(transaction.count(query)), model.places({ ...query, direction: 'next' }).length);
}

function checkRecord(found: StoredRecord, expected: ModelPlace, query: Query): void {
  assert.deepStrictEqual([...found.key], [...expected.key]);
  assert.deepStrictEqual([...found.primaryKey], [...expected.primaryKey]);
  if (!query.values) assert.strictEqual(found.value, null);
  else if (expected.record.value.length < 65_000) assert.deepStrictEqual(found.value?.bytes, new Uint8Array(expected.record.value));
}

/** Values of several keys at once are those of each. */
function checkValues(transaction: ReadTransaction, store: number, index: number | null): void {
  const keys = Array.from({ length: 8 }, (_, n) => keyOf(2 * n));
  const each = keys.map((only) => {
    const value = transaction.value({ store, index, range: { lower: only, upper: only, lowerOpen: false, upperOpen: false }, direction: 'next', values: true });
    // Bytes of a small one are there only until the next is asked for.
    return value && { bytes: Uint8Array.from(value.bytes), blobs: value.blobs };
  });
  const isSimple = each.every((value) => value === undefined || (value.blobs.length === 0 && value.bytes.length > 0));
  const found = transaction.values(store, index, keys);
  assert.strictEqual(found !== null, isSimple);
  if (found !== null) assert.deepStrictEqual(found.map((value) => value?.bytes), each.map((value) => value?.bytes));
}

async function checkLarge(transaction: ReadTransaction, model: Model): Promise<void> {
  for (const { id, records } of model.stores.values()) {
    for (const { key: at, value } of records) {
      const record = transaction.first({ store: id, index: null, range: { lower: at, upper: at, lowerOpen: false, upperOpen: false }, direction: 'next', values: true });
      assert(record?.value);
      const loaded = (await transaction.load(record.value)) ?? record.value;
      assert.deepStrictEqual(loaded.bytes, value);
    }
  }
}

function checkAll(transaction: ReadTransaction, model: Model): void {
  assert.deepStrictEqual(transaction.schema.stores.map(({ id }) => id), [...model.stores.keys()].sort((a, b) => a - b));
  for (const { id, indexes } of model.stores.values()) {
    for (const index of [null, ...indexes.map((definition) => definition.id)]) {
      check(transaction, model, { store: id, index, range: null, direction: 'next', values: true });
    }
  }
}

async function checkDatabase(databases: SqliteDatabases, transactions: readonly Transaction[]): Promise<void> {
  let database = await databases.create('db');
  let model = new Model();
  let readers: { read: ReadTransaction; model: Model }[] = [];
  const endReaders = async (): Promise<void> => {
    for (const { read, model: then } of readers) {
      checkAll(read, then);
      await checkLarge(read, then);
      read.rollback();
    }
    readers = [];
  };
  for (const [nth, { works, isUpgrade, end, keepReader, reopen }] of transactions.entries()) {
    if (keepReader && database.hasSnapshots) readers.push({ read: database.read(), model });
    const upgrading = isUpgrade || nth === 0;
    const write = upgrading ? database.upgrade() : database.write();
    const both = new Both(write, upgrading, model);
    if (nth === 0) both.do({ do: 'createStore', at: 0 });
    for (const each of works) both.do(each);
    checkAll(write, both.model);
    await checkLarge(write, both.model);
    if (end === 'rollback') write.rollback();
    else {
      await write.commit(end === 'strict' ? 'strict' : 'relaxed');
      model = both.model;
    }
    const read = database.read();
    checkAll(read, model);
    read.rollback();
    if (!reopen) continue;
    await endReaders();
    database.close();
    const again = await databases.open('db');
    assert(again);
    database = again;
  }
  await endReaders();
  database.close();
  await databases.delete('db');
  assert.strictEqual(await databases.open('db'), null);
}

const bucket = newBucket();
try {
  const databases = databasesAt(bucket, process.env.DRIVER === 'wasm' ? { driverForNew: () => driverNamed('wasm') } : {});
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  await fc.assert(
    fc.asyncProperty(fc.array(transaction, { minLength: 1, maxLength: 8 }), (transactions) => checkDatabase(databases, transactions)),
    { numRuns: Number(process.env.RUNS ?? 100), seed, ...(process.env.FC_PATH === undefined ? {} : { path: process.env.FC_PATH }) },
  );
  console.log(`ok ${seed}`);
} finally {
  fs.rmSync(bucket, { recursive: true, force: true });
}
