import { decodeKey, type EncodedKey } from '../../disk/records/key.ts';
import type { Direction, Range, RecordScan, StoredRecord, StoredValue } from '../../disk/records/record-database.ts';
import { internal } from '../../webidl/interface.ts';
import { LongWork, type Operation, type Pause, stepsOf } from '../model/operation.ts';
import type { Transaction } from '../model/transaction.ts';
import { IDBRecord } from '../record.ts';
import { isAtHand, readAtOnce, readInSteps } from '../values/read-stored.ts';
import { queryOf, type Source } from './source.ts';

/**
 * How many requests for values are answered by one statement, where so many stand one behind another: at least; at most,
 * as values may be long; at most where those before were short, in bytes on the average.
 */
const FEW = 8;
const SOME = 32;
const MANY = 128;
const SHORT_BYTES = 4096;

/** https://w3c.github.io/IndexedDB/#retrieve-a-value-from-an-object-store, or from an index */
export class Get implements Operation {
  readonly ready = null;
  readonly #source: Source;
  readonly #range: Range;
  /** What one before it has read for it; null: there is no record. Nothing that runs in between can change that. */
  #found: StoredValue | null | undefined;
  /** It was tried together with others, of which some have values that do not come so. */
  #isAlone = false;

  constructor(source: Source, range: Range) {
    this.#source = source;
    this.#range = range;
  }

  run(transaction: Transaction): unknown {
    if (this.#found === undefined) this.#readTogether(transaction);
    const value = this.#found === undefined ? transaction.engine.value(queryOf(this.#source, this.#range, 'next', true)) : this.#found;
    return value ? valueOf(transaction, value) : undefined;
  }

  #readTogether(transaction: Transaction): void {
    const gets = this.#together(transaction);
    if (gets.length === 0) return;
    const { store, index } = queryOf(this.#source, null, 'next', true);
    const found = transaction.engine.values(store, index, gets.map((get) => get.#only ?? none));
    if (found === null) for (const get of gets) get.#isAlone = true;
    else this.#give(gets, found);
  }

  #give(gets: readonly Get[], found: readonly (StoredValue | null)[]): void {
    let bytes = 0;
    for (const [at, get] of gets.entries()) {
      const value = found[at] ?? null;
      get.#found = value;
      bytes += value?.bytes.length ?? 0;
    }
    this.#source.hasShortValues = bytes <= gets.length * SHORT_BYTES;
  }

  /** Itself and those behind it that want one record of the same source too; none where they are few. */
  #together(transaction: Transaction): readonly Get[] {
    if (this.#isAlone || transaction.waiting < FEW || !this.#isAlike(transaction.next(2)[1])) return [];
    const gets: Get[] = [];
    for (const other of transaction.next(this.#source.hasShortValues ? MANY : SOME)) {
      if (!this.#isAlike(other)) break;
      gets.push(other);
    }
    return gets.length < FEW ? [] : gets;
  }

  #isAlike(other: Operation | undefined): other is Get {
    return other instanceof Get && other.#source === this.#source && !other.#isAlone && other.#only !== null;
  }

  get #only(): EncodedKey | null {
    const { lower, upper } = this.#range;
    return lower === upper ? lower : null;
  }
}

/** Small records of which no two are worth a look at the clock, and how long a small value is. */
const PAUSED_AFTER = 8;
const SMALL_BYTES = 1024;

const none: EncodedKey = new Uint8Array(0);

/** The value, or what will give it. */
export function valueOf(transaction: Transaction, value: StoredValue): unknown {
  const loading = isAtHand(transaction, value);
  if (loading === true) return readAtOnce(transaction, value);
  return new LongWork(readInSteps(transaction, value, loading === false ? null : loading));
}

/** https://w3c.github.io/IndexedDB/#retrieve-a-key-from-an-object-store: of an index, too, the record's primary key. */
export class GetKey implements Operation {
  readonly ready = null;
  readonly #source: Source;
  readonly #range: Range;

  constructor(source: Source, range: Range) {
    this.#source = source;
    this.#range = range;
  }

  run(transaction: Transaction): unknown {
    const found = transaction.engine.first(queryOf(this.#source, this.#range, 'next', false));
    return found && decodeKey(found.primaryKey);
  }
}

/** https://w3c.github.io/IndexedDB/#count-the-records-in-a-range */
export class Count implements Operation {
  readonly ready = null;
  readonly #source: Source;
  readonly #range: Range | null;

  constructor(source: Source, range: Range | null) {
    this.#source = source;
    this.#range = range;
  }

  run(transaction: Transaction): LongWork {
    return new LongWork(stepsOf(transaction.engine.count(queryOf(this.#source, this.#range, 'next', false))));
  }
}

export type Wanted = 'keys' | 'values' | 'records';

export interface Selection {
  readonly range: Range | null;
  readonly direction: Direction;
  /** Infinity: all. */
  readonly count: number;
}

/** https://w3c.github.io/IndexedDB/#retrieve-multiple-items-from-an-object-store, or from an index */
export class GetAll implements Operation {
  readonly ready = null;
  readonly #source: Source;
  readonly #wanted: Wanted;
  readonly #selection: Selection;

  constructor(source: Source, wanted: Wanted, selection: Selection) {
    this.#source = source;
    this.#wanted = wanted;
    this.#selection = selection;
  }

  run(transaction: Transaction): LongWork {
    return new LongWork(this.#steps(transaction));
  }

  *#steps(transaction: Transaction): Generator<Pause, unknown[], unknown> {
    const { range, direction, count } = this.#selection;
    const scan = transaction.engine.scan(queryOf(this.#source, range, direction, this.#wanted !== 'keys'));
    try {
      return yield* this.#collect(transaction, scan, count);
    } finally {
      scan.close();
    }
  }

  *#collect(transaction: Transaction, scan: RecordScan, count: number): Generator<Pause, unknown[], unknown> {
    const found: unknown[] = [];
    for (let record = scan.next(); record !== undefined; record = found.length < count ? scan.next() : undefined) {
      const item = this.#wanted === 'keys' ? decodeKey(record.primaryKey) : this.#itemOf(transaction, record);
      found.push(item instanceof LongWork ? yield* item.steps : item);
      if (found.length % PAUSED_AFTER === 0 || (record.value?.bytes.length ?? 0) > SMALL_BYTES) yield;
    }
    return found;
  }

  #itemOf(transaction: Transaction, record: StoredRecord): unknown {
    const value = record.value === null ? undefined : valueOf(transaction, record.value);
    if (this.#wanted === 'values') return value;
    if (value instanceof LongWork) return new LongWork(recordInSteps(record, value));
    return recordOf(record, value);
  }
}

function* recordInSteps(record: StoredRecord, value: LongWork): Generator<Pause, IDBRecord, unknown> {
  return recordOf(record, yield* value.steps);
}

function recordOf({ key, primaryKey }: StoredRecord, value: unknown): IDBRecord {
  return new IDBRecord(internal, decodeKey(key), decodeKey(primaryKey), value);
}
