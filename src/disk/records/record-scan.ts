import type { Query, RecordScan, StoredRecord } from './record-database.ts';
import { readRows, recordOf } from './reading.ts';
import type { SqlRow } from './sql-driver.ts';
import type { SqlSession } from './sql-session.ts';

const FEWEST = 4;
const MOST = 256;
/** Bytes that a window may take where records are large. */
const WINDOW_BYTES = 2 ** 20;

/**
 * A scan in windows, of which each begins behind the last record of the one before: nothing is held open in between, and
 * several scans of one table share its statements.
 */
export class WindowedScan implements RecordScan {
  readonly #session: SqlSession;
  #query: Query;
  #rows: readonly SqlRow[] = [];
  #at = 0;
  #size: number;
  #isAtEnd = false;

  constructor(session: SqlSession, query: Query, first = FEWEST) {
    this.#session = session;
    this.#query = query;
    this.#size = Math.min(first, MOST);
    // The next of these is sought by its own statement each time.
    if (query.index !== null && (query.direction === 'prevunique' || query.direction === 'nextunique')) this.#size = 1;
  }

  next(): StoredRecord | undefined {
    if (this.#at === this.#rows.length && !this.#fetch()) return undefined;
    const row = this.#rows[this.#at++];
    return row && recordOf(row, this.#query);
  }

  close(): void {
    this.#isAtEnd = true;
    this.#rows = [];
    this.#at = 0;
  }

  /** False: there are no more. */
  #fetch(): boolean {
    if (this.#isAtEnd) return false;
    const last = this.#rows[this.#at - 1];
    if (last !== undefined) this.#query = behind(this.#query, last);
    this.#rows = readRows(this.#session, this.#query, this.#size);
    this.#at = 0;
    this.#isAtEnd = this.#rows.length < this.#size;
    if (this.#size > 1) this.#size = Math.max(FEWEST, Math.min(2 * this.#size, MOST, this.#fitting()));
    return this.#rows.length > 0;
  }

  /** How many records of this size make a window. */
  #fitting(): number {
    if (!this.#query.values) return MOST;
    const value = this.#query.index === null ? 2 : 3;
    const bytes = this.#rows.reduce((sum, row) => sum + ((row[value] as Uint8Array | null)?.length ?? 0), 1);
    return Math.floor((WINDOW_BYTES * this.#rows.length) / bytes);
  }
}

function behind(query: Query, row: SqlRow): Query {
  const key = row[0] as Uint8Array;
  return { ...query, after: { key, primaryKey: query.index === null ? key : (row[1] as Uint8Array) } };
}
