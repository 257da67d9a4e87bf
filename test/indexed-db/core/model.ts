import assert from 'node:assert/strict';
import { createFactory, endFactory } from '../../../src/indexed-db/index.ts';
import type { IDBCursorDirection, IDBCursorWithValue } from '../../../src/indexed-db/cursor.ts';
import type { IDBDatabase } from '../../../src/indexed-db/database.ts';
import type { IDBFactory } from '../../../src/indexed-db/factory.ts';
import { IDBKeyRange } from '../../../src/indexed-db/key-range.ts';
import type { IDBObjectStore } from '../../../src/indexed-db/object-store.ts';
import { Random } from '../../support/random.ts';
import { ended, opened, result, walked } from '../support/promises.ts';
import { type Bench, runCases } from '../support/cases.ts';

// Transactions of random requests, on a store with a unique and a multi-entry index, beside an array that does the same.

interface Value {
  readonly id: unknown;
  readonly u?: number;
  readonly tags?: readonly unknown[];
  readonly text: string;
}

interface Entry {
  readonly key: unknown;
  readonly primaryKey: unknown;
  readonly value: Value;
}

const directions = ['next', 'nextunique', 'prev', 'prevunique'] as const;

class Model {
  records: readonly Value[] = [];
  readonly #cmp: (a: unknown, b: unknown) => number;

  constructor(factory: IDBFactory) {
    this.#cmp = (a, b) => factory.cmp(a, b);
  }

  find(key: unknown): Value | undefined {
    return this.records.find(({ id }) => this.#cmp(id, key) === 0);
  }

  /** Whether it was stored. */
  write(value: Value, overwrite: boolean): boolean {
    const others = this.records.filter(({ id }) => this.#cmp(id, value.id) !== 0);
    if (!overwrite && others.length < this.records.length) return false;
    if (value.u !== undefined && others.some(({ u }) => u === value.u)) return false;
    this.records = [...others, value];
    return true;
  }

  delete(range: IDBKeyRange): void {
    this.records = this.records.filter(({ id }) => !range.includes(id));
  }

  /** What a cursor finds, in order. */
  entries(index: 'u' | 'tags' | null, range: IDBKeyRange | null, direction: IDBCursorDirection): Entry[] {
    const all = this.records.flatMap((value) => this.#keysOf(value, index).map((key) => ({ key, primaryKey: value.id, value })));
    const found = all.filter(({ key }) => range === null || range.includes(key)).sort((a, b) => this.#cmp(a.key, b.key) || this.#cmp(a.primaryKey, b.primaryKey));
    const unique = direction.endsWith('unique') ? found.filter((entry, at) => at === 0 || this.#cmp(found[at - 1]?.key, entry.key) !== 0) : found;
    return direction.startsWith('prev') ? unique.reverse() : unique;
  }

  /** The keys that a cursor that stands at one of them has before it. */
  behind(key: unknown, range: IDBKeyRange | null, direction: IDBCursorDirection): unknown[] {
    const sign = direction.startsWith('prev') ? -1 : 1;
    const keys = this.entries(null, range, direction).map((entry) => entry.key);
    return key === undefined ? keys : keys.filter((other) => sign * this.#cmp(other, key) > 0);
  }

  #keysOf(value: Value, index: 'u' | 'tags' | null): unknown[] {
    if (index === null) return [value.id];
    if (index === 'u') return value.u === undefined ? [] : [value.u];
    const tags = value.tags ?? [];
    return tags.filter((tag, at) => tags.findIndex((other) => this.#cmp(other, tag) === 0) === at);
  }
}

class Run {
  readonly #random: Random;
  readonly #db: IDBDatabase;
  readonly #model: Model;

  constructor(random: Random, db: IDBDatabase, model: Model) {
    this.#random = random;
    this.#db = db;
    this.#model = model;
  }

  async transaction(): Promise<void> {
    const before = this.#model.records;
    const transaction = this.#db.transaction('s', 'readwrite');
    const end = ended(transaction);
    const store = transaction.objectStore('s');
    for (let left = 1 + this.#random.below(12); left > 0; left--) await this.#request(store);
    if (this.#random.below(4) === 0) {
      transaction.abort();
      this.#model.records = before;
    }
    assert.match(await end, /^(complete|abort)$/);
  }

  async #request(store: IDBObjectStore): Promise<void> {
    const kind = this.#random.below(10);
    if (kind < 4) return this.#write(store);
    if (kind === 4) return this.#delete(store);
    if (kind === 5) return this.#readOne(store);
    if (kind === 6) return this.#change(store);
    return this.#readAll(store);
  }

  async #write(store: IDBObjectStore): Promise<void> {
    const overwrite = this.#random.below(3) > 0;
    const value = this.#value();
    const said = await result(overwrite ? store.put(value) : store.add(value)).then(
      (key) => key,
      (error: DOMException) => error.name,
    );
    if (this.#model.write(value, overwrite)) assert.deepEqual(said, value.id);
    else assert.equal(said, 'ConstraintError');
  }

  async #delete(store: IDBObjectStore): Promise<void> {
    if (this.#random.below(20) === 0) {
      await result(store.clear());
      this.#model.records = [];
      return;
    }
    const range = this.#range();
    await result(store.delete(range));
    this.#model.delete(range);
  }

  async #readOne(store: IDBObjectStore): Promise<void> {
    const key = this.#key();
    assert.deepEqual(await result(store.get(key)), this.#model.find(key));
    const u = this.#random.below(12);
    assert.deepEqual(await result(store.index('u').getKey(u)), this.#model.entries('u', IDBKeyRange.only(u), 'next')[0]?.primaryKey);
  }

  async #readAll(store: IDBObjectStore): Promise<void> {
    const index = ([null, 'u', 'tags'] as const)[this.#random.below(3)] ?? null;
    const direction = directions[this.#random.below(4)] ?? 'next';
    const range = this.#random.below(3) === 0 ? null : this.#range();
    const source = index === null ? store : store.index(index);
    const expected = this.#model.entries(index, range, direction);
    const step = 1 + this.#random.below(3);
    const count = this.#random.below(5);
    const walk = walked(source.openCursor(range, direction), (cursor) => {
      const { key, primaryKey, value } = cursor;
      cursor.advance(step);
      return { key, primaryKey, value };
    });
    const [all, number, visited] = await Promise.all([result<Entry[]>(source.getAllRecords({ query: range, direction, count })), result(source.count(range)), walk]);
    assert.deepEqual(all.map(({ key, primaryKey, value }) => ({ key, primaryKey, value })), count === 0 ? expected : expected.slice(0, count));
    assert.equal(number, this.#model.entries(index, range, 'next').length);
    assert.deepEqual(visited, expected.filter((_, at) => at % step === 0));
  }

  /** A cursor of whose records some are changed, and of others too, while it is on its way. */
  async #change(store: IDBObjectStore): Promise<void> {
    const direction = this.#random.below(2) === 0 ? 'next' : 'prev';
    const range = this.#random.below(2) === 0 ? null : this.#range();
    const visited: unknown[] = [];
    const left = (): unknown[] => this.#model.behind(visited[visited.length - 1], range, direction);
    await walked(store.openCursor(range, direction), (cursor) => {
      assert.deepEqual(cursor.primaryKey, left()[0]);
      visited.push(cursor.primaryKey);
      this.#changeAt(cursor, store);
      cursor.continue();
    });
    assert.deepEqual(left(), []);
  }

  #changeAt(cursor: IDBCursorWithValue, store: IDBObjectStore): void {
    const { primaryKey } = cursor;
    switch (this.#random.below(8)) {
      case 0: {
        const range = this.#range();
        store.delete(range);
        return this.#model.delete(range);
      }
      case 1: {
        const value = { id: this.#key(), text: 'put by the way' };
        store.put(value);
        return void this.#model.write(value, true);
      }
      case 2:
        cursor.delete();
        return this.#model.delete(IDBKeyRange.only(primaryKey));
      case 3: {
        const value = { id: primaryKey, text: `changed ${this.#random.below(100)}` };
        cursor.update(value);
        return void this.#model.write(value, true);
      }
      default:
    }
  }

  #value(): Value {
    const tags = Array.from({ length: this.#random.below(4) }, () => this.#key());
    const size = this.#random.below(30) === 0 ? 70_000 : this.#random.below(50);
    return { id: this.#key(), ...(this.#random.below(2) === 0 && { u: this.#random.below(12) }), tags, text: 'x'.repeat(size) };
  }

  #key(): unknown {
    const number = this.#random.below(16) - 4;
    switch (this.#random.below(5)) {
      case 0:
        return new Date(number);
      case 1:
        return String.fromCharCode(97 + number, 0xd800 + number);
      case 2:
        return [number, [String(number)]];
      case 3:
        return new Uint8Array([number, 0]).buffer;
      default:
        return number / 2;
    }
  }

  #range(): IDBKeyRange {
    for (;;) {
      try {
        const kind = this.#random.below(4);
        if (kind === 0) return IDBKeyRange.only(this.#key());
        if (kind === 1) return IDBKeyRange.lowerBound(this.#key(), this.#random.below(2) === 0);
        if (kind === 2) return IDBKeyRange.upperBound(this.#key(), this.#random.below(2) === 0);
        return IDBKeyRange.bound(this.#key(), this.#key(), this.#random.below(2) === 0, this.#random.below(2) === 0);
      } catch {
        // The bounds came the wrong way round.
      }
    }
  }
}

async function runOnce({ factory, place }: Bench, seed: number): Promise<void> {
  const name = `model ${seed}`;
  const open = (of: IDBFactory): Promise<IDBDatabase> =>
    opened(of, name, (made) => {
      const store = made.createObjectStore('s', { keyPath: 'id' });
      store.createIndex('u', 'u', { unique: true });
      store.createIndex('tags', 'tags', { multiEntry: true });
    });
  const db = await open(factory);
  const model = new Model(factory);
  const run = new Run(new Random(seed), db, model);
  for (let left = 12; left > 0; left--) await run.transaction();
  db.close();
  // What was written is there for whoever opens it anew.
  const other = createFactory(place);
  const kept = await result((await open(other)).transaction('s').objectStore('s').getAll());
  assert.deepEqual(kept, model.entries(null, null, 'next').map(({ value }) => value));
  await endFactory(other);
}

const first = Number(process.env['SEED'] ?? 1);
const runs = Number(process.env['RUNS'] ?? 15);
const seeds = Array.from({ length: runs }, (_, at) => first + at);
await runCases(Object.fromEntries(seeds.map((seed) => [`seed ${seed}`, (bench) => runOnce(bench, seed)])));
