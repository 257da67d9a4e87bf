import { compareKeys, decodeKey, type EncodedKey } from '../../disk/records/key.ts';
import type { Direction, Place, Query, Range, StoredRecord } from '../../disk/records/record-database.ts';
import { queryOf, type Source } from '../operations/source.ts';
import type { Request } from './request.ts';
import { IndexModel, type StoreModel } from './store.ts';
import type { Transaction } from './transaction.ts';

/** How many records are read ahead: few at first, as many cursors are never moved. */
const FIRST_WINDOW = 4;
const LARGEST_WINDOW = 256;
/** And no more than that of values, in bytes. */
const WINDOW_BYTES = 256 * 1024;

/** At or behind which place a cursor is to go on. */
export interface Target {
  readonly key: EncodedKey;
  readonly primaryKey?: EncodedKey;
}

/**
 * https://w3c.github.io/IndexedDB/#cursor-construct. Invariants:
 * - `place` is where the record lies that was found last; what is searched next is behind it;
 * - what was read ahead follows `place` without a gap, and is used only while the transaction has not written since.
 */
export class Cursor {
  readonly transaction: Transaction;
  readonly source: Source;
  readonly range: Range | null;
  readonly direction: Direction;
  readonly isKeyOnly: boolean;
  /** The request that it gives its results to; set at once. */
  request: Request | null = null;
  place: Place | null = null;
  key: unknown = undefined;
  primaryKey: unknown = undefined;
  value: unknown = undefined;
  /** Whether it stands at a record, and is not on its way to another. */
  hasValue = false;
  #ahead: readonly StoredRecord[] = [];
  #next = 0;
  #writes = 0;
  #window = 1;

  constructor(transaction: Transaction, source: Source, range: Range | null, direction: Direction, isKeyOnly: boolean) {
    this.transaction = transaction;
    this.source = source;
    this.range = range;
    this.direction = direction;
    this.isKeyOnly = isKeyOnly;
  }

  /** https://w3c.github.io/IndexedDB/#cursor-effective-object-store */
  get store(): StoreModel {
    return this.source instanceof IndexModel ? this.source.store : this.source;
  }

  get isSourceDeleted(): boolean {
    return this.source.isDeleted || this.store.isDeleted;
  }

  get isForward(): boolean {
    return this.direction === 'next' || this.direction === 'nextunique';
  }

  /** The next record, or the next that is at the target or behind it. */
  find(target: Target | null): StoredRecord | undefined {
    if (this.#writes !== this.transaction.writes) this.#dropWindow();
    while (this.#next < this.#ahead.length) {
      const record = this.#ahead[this.#next++];
      if (record !== undefined && (target === null || this.#hasReached(record, target))) return this.#moved(record);
    }
    const record = this.#fetch(target);
    return record && this.#moved(record);
  }

  #moved(record: StoredRecord): StoredRecord {
    this.place = record;
    return record;
  }

  /** It stands at a record, of which the value is given. */
  arrive(record: StoredRecord, value: unknown): void {
    this.key = decodeKey(record.key);
    this.primaryKey = record.key === record.primaryKey ? this.key : decodeKey(record.primaryKey);
    this.value = value;
    this.hasValue = true;
  }

  /** There is none any more. */
  arriveNowhere(): void {
    this.key = undefined;
    this.primaryKey = undefined;
    this.value = undefined;
  }

  #hasReached(record: StoredRecord, { key, primaryKey }: Target): boolean {
    const sign = this.isForward ? 1 : -1;
    const order = sign * compareKeys(record.key, key);
    if (order !== 0 || primaryKey === undefined) return order >= 0;
    return sign * compareKeys(record.primaryKey, primaryKey) >= 0;
  }

  #dropWindow(): void {
    this.#ahead = [];
    this.#next = 0;
    this.#window = 1;
    this.#writes = this.transaction.writes;
  }

  #fetch(target: Target | null): StoredRecord | undefined {
    const query = this.#query(target);
    if (this.#window === 1) {
      this.#window = FIRST_WINDOW;
      return this.transaction.engine.first(query);
    }
    this.#ahead = this.#read(query);
    this.#next = 1;
    return this.#ahead[0];
  }

  #query(target: Target | null): Query {
    const query = queryOf(this.source, this.range, this.direction, !this.isKeyOnly);
    return { ...query, ...(this.place && { after: this.place }), ...(target && { from: target }) };
  }

  /** The next window is twice as large, where that many records of this size fit. */
  #read(query: Query): StoredRecord[] {
    const records: StoredRecord[] = [];
    const scan = this.transaction.engine.scan(query, this.#window);
    let bytes = 1;
    try {
      while (records.length < this.#window && bytes < WINDOW_BYTES) {
        const record = scan.next();
        if (record === undefined) break;
        records.push(record);
        bytes += record.value?.bytes.length ?? 0;
      }
    } finally {
      scan.close();
    }
    const fitting = Math.floor((WINDOW_BYTES * records.length) / bytes);
    this.#window = Math.max(FIRST_WINDOW, Math.min(2 * this.#window, LARGEST_WINDOW, fitting));
    return records;
  }
}
