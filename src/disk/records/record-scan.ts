import type { Query, RecordScan, StoredRecord } from './record-database.ts';
import { readWindow, type RecordWindow } from './record-window.ts';
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
  #window: RecordWindow | null = null;
  /** How many of it were given. */
  #at = 0;
  #last: StoredRecord | undefined;
  #mayPack = true;
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
    if (this.#window === null || this.#at === this.#window.length) this.#window = this.#fetch();
    if (this.#window === null) return undefined;
    this.#at++;
    return (this.#last = this.#window.next());
  }

  close(): void {
    this.#isAtEnd = true;
    this.#window = null;
  }

  /** Null: there are no more. */
  #fetch(): RecordWindow | null {
    if (this.#isAtEnd) return null;
    if (this.#last !== undefined) this.#query = behind(this.#query, this.#last);
    const { window, isPacked } = readWindow(this.#session, this.#query, this.#size, this.#mayPack);
    this.#mayPack = isPacked;
    this.#at = 0;
    this.#isAtEnd = window.length < this.#size;
    if (this.#size > 1) this.#size = Math.max(FEWEST, Math.min(2 * this.#size, MOST, fitting(window)));
    return window.length > 0 ? window : null;
  }
}

/** How many records of this size make a window. */
function fitting({ length, bytes }: RecordWindow): number {
  return Math.floor((WINDOW_BYTES * length) / (bytes + 1));
}

function behind(query: Query, { key, primaryKey }: StoredRecord): Query {
  return { ...query, after: { key, primaryKey } };
}
