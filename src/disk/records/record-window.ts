import type { EncodedKey } from './key.ts';
import { recordOf, rowsOf } from './reading.ts';
import { NO_FILES } from './record-bytes.ts';
import type { Query, StoredRecord, StoredValue } from './record-database.ts';
import type { SqlRow, SqlValue } from './sql-driver.ts';
import type { SqlSession } from './sql-session.ts';

/** Some records of a scan that were read at once. */
export interface RecordWindow {
  /** How many there are. */
  readonly length: number;
  /** Of their values. */
  readonly bytes: number;
  /** They come one after another. */
  next(): StoredRecord;
}

/** Each of its columns came by itself, in memory of its own. */
class RowWindow implements RecordWindow {
  readonly #rows: readonly SqlRow[];
  readonly #query: Query;
  #at = 0;

  constructor(rows: readonly SqlRow[], query: Query) {
    this.#rows = rows;
    this.#query = query;
  }

  get length(): number {
    return this.#rows.length;
  }

  get bytes(): number {
    const place = this.#query.index === null ? 2 : 3;
    return this.#rows.reduce((sum, row) => sum + ((row[place] as Uint8Array | null)?.length ?? 0), 0);
  }

  next(): StoredRecord {
    return recordOf(this.#rows[this.#at++] as SqlRow, this.#query);
  }
}

/** Bytes that came as one, one after another, beside their lengths. */
class PackedColumn {
  readonly bytes: Uint8Array;
  readonly #lengths: string;
  #at = 0;
  #place = 0;

  /** `lengths`: with commas in between. */
  constructor(lengths: SqlValue | undefined, bytes: SqlValue | undefined) {
    this.bytes = (bytes as Uint8Array | null) ?? nothing;
    this.#lengths = lengths as string;
  }

  next(): Uint8Array {
    return this.take(this.length());
  }

  /** The next of the lengths. */
  length(): number {
    let length = 0;
    for (; ; ) {
      const digit = this.#lengths.charCodeAt(this.#at++) - ZERO;
      // The end of the text is NaN.
      if (!(digit >= 0)) return length;
      length = 10 * length + digit;
    }
  }

  /** Whether exactly what is there was taken. */
  get isUsedUp(): boolean {
    return this.#place === this.bytes.length;
  }

  take(length: number): Uint8Array {
    const start = this.#place;
    this.#place += length;
    return this.bytes.subarray(start, this.#place);
  }
}

const ZERO = 48;
const nothing = new Uint8Array(0);

/** All of a column came as one: an ArrayBuffer for each costs more than all else. */
class PackedWindow implements RecordWindow {
  readonly length: number;
  readonly #keys: PackedColumn;
  readonly #primaryKeys: PackedColumn | null;
  readonly #values: PackedColumn | null;

  constructor(length: number, columns: readonly PackedColumn[], query: Query) {
    let at = 0;
    this.length = length;
    this.#keys = columns[at++] as PackedColumn;
    this.#primaryKeys = query.index === null ? null : (columns[at++] ?? null);
    this.#values = query.values ? (columns[at] ?? null) : null;
  }

  get bytes(): number {
    return this.#values?.bytes.length ?? 0;
  }

  next(): StoredRecord {
    const key: EncodedKey = this.#keys.next();
    const primaryKey = this.#primaryKeys?.next() ?? key;
    return { key, primaryKey, value: this.#values && { bytes: this.#values.next(), blobs: NO_FILES.blobs } };
  }
}

/** From how many rows on they are packed. */
const PACKED_FROM = 8;

/**
 * Reads the next records of a query. `mayPack`: whether the ones before could come packed, which those that have files
 * cannot.
 */
export function readWindow(session: SqlSession, query: Query, most: number, mayPack: boolean): { readonly window: RecordWindow; readonly isPacked: boolean } {
  const packed = mayPack && most >= PACKED_FROM ? readPacked(session, query, most) : null;
  return { window: packed ?? new RowWindow(rowsOf(session, query, most), query), isPacked: mayPack && (most < PACKED_FROM || packed !== null) };
}

/** Null: some have files, or this runtime's SQLite does not put bytes together as they are. */
function readPacked(session: SqlSession, query: Query, most: number): RecordWindow | null {
  const row = rowsOf(session, query, most, 0, true)[0] ?? [];
  const length = row[0] as number;
  if (row[1] !== 1) return length === 0 ? new RowWindow([], query) : null;
  const columns: PackedColumn[] = [];
  for (let at = 2; at < row.length; at += 3) {
    const column = new PackedColumn(row[at], row[at + 1]);
    if (column.bytes.length !== row[at + 2]) return null;
    columns.push(column);
  }
  return new PackedWindow(length, columns, query);
}

/**
 * The values of the first records of some keys, of a store or an index; null: there is none. Null for all where one is not
 * in its record, or this runtime's SQLite does not put bytes together as they are.
 */
export function readValues(session: SqlSession, store: number, index: number | null, keys: readonly EncodedKey[]): readonly (StoredValue | null)[] | null {
  const [lengths, bytes] = session.table(store, index).valuesAt(placesFor(keys)).get(...keys, ...spare(keys)) ?? [];
  if (typeof lengths !== 'string' || lengths.includes('-')) return null;
  const packed = new PackedColumn(lengths, bytes);
  const values = keys.map(() => valueFrom(packed));
  return packed.isUsedUp ? values : null;
}

function valueFrom(packed: PackedColumn): StoredValue | null {
  const length = packed.length();
  return length === 0 ? null : { bytes: packed.take(length), blobs: NO_FILES.blobs };
}

/** There are few statements for any number of keys: a place that none needs costs a tenth of a key. */
function placesFor({ length }: readonly EncodedKey[]): number {
  return 2 ** Math.ceil(Math.log2(length));
}

function spare(keys: readonly EncodedKey[]): null[] {
  return new Array<null>(placesFor(keys) - keys.length).fill(null);
}
