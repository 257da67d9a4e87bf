import type { Ledger, Mark } from '../quota/ledger.ts';
import type { LogFile } from './log-file.ts';
import type { SqlSession } from './sql-session.ts';
import { PAGE_BYTES, type SqliteFile } from './sqlite-file.ts';

/** Written bytes after which a transaction that still goes on pays. */
const PART_BYTES = 2 ** 20;

/** What a commit adds to the log besides what was written, as a guess: a few pages of which only a part has changed. */
const MORE_BYTES = 4 * PAGE_BYTES;

/** Free pages that are given back by one commit, and from how many on they are. */
const VACUUM_PAGES = 64;
const FREE_PAGES = 256;

/**
 * What a database's file and log take of the bucket's account. Invariants
 * - What a transaction will add is charged for before it commits, as a guess; afterwards, while nobody else writes, the
 *   sizes say what it was. Only what changes while this realm writes, or brings the log into the file, is charged here.
 * - What cannot be paid for any more, as it is there already, is left to a count.
 */
export class Growth {
  readonly #session: SqlSession;
  readonly #file: SqliteFile;
  readonly #log: LogFile;
  readonly #ledger: Ledger;
  #before = 0;
  #charged = 0;
  #written = 0;
  #hasDeleted = false;
  /** Whether the bucket had no room for the transaction that writes, or did last. */
  isShort = false;

  constructor(session: SqlSession, file: SqliteFile, log: LogFile, ledger: Ledger) {
    this.#session = session;
    this.#file = file;
    this.#log = log;
    this.#ledger = ledger;
  }

  /** Of what grows when somebody commits, when this realm wrote last. */
  get size(): number {
    return this.#before;
  }

  /** The size of what grows when somebody commits. */
  #size(): number {
    return this.#file.driver.hasSnapshots ? this.#log.size : this.#file.size;
  }

  /** `hasChanged`: somebody else has committed since this realm wrote last. */
  begin(hasChanged: boolean): void {
    if (hasChanged) this.#before = this.#size();
    this.#charged = 0;
    this.#written = 0;
    this.isShort = false;
  }

  /** @throws OverQuotaError */
  admit(bytes: number): void {
    this.#written += bytes;
    if (this.#written >= PART_BYTES) this.#pay();
  }

  #pay(): void {
    this.isShort = true;
    this.#ledger.charge(this.#written);
    this.isShort = false;
    this.#charged += this.#written;
    this.#written = 0;
  }

  /** Something was deleted: there may be pages to give back. */
  deleted(): void {
    this.#hasDeleted = true;
  }

  /** @throws OverQuotaError */
  beforeCommit(): void {
    // What takes away is not to be refused.
    if (this.#written > 0) {
      this.#written += MORE_BYTES;
      this.#pay();
    }
    if (this.#hasDeleted) this.#vacuum();
  }

  #vacuum(): void {
    const free = this.#session.by('PRAGMA freelist_count').get()?.[0] as number;
    if (free > FREE_PAGES) this.#session.connection.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    else this.#hasDeleted = false;
  }

  /** It has committed, or was rolled back, and nobody else has written yet. @returns the log's size, where it is that which grows */
  ended(): number {
    const size = this.#sizeNow();
    const grown = size - this.#before;
    const owed = Math.max(0, grown) - this.#charged;
    if (owed > 0) this.#settle(owed);
    else if (owed < 0) this.#ledger.refund(-owed);
    if (grown < 0) this.#settle(grown);
    this.#charged = 0;
    this.#before = size;
    return size;
  }

  /** It is too late to fail: what the disk does not tell is left to a count. */
  #sizeNow(): number {
    try {
      return this.#size();
    } catch {
      this.#ledger.doubt();
      return this.#before;
    }
  }

  #settle(bytes: number, mark: Mark = this.#ledger.mark()): void {
    if (bytes < 0) this.#ledger.free(-bytes, mark);
    if (bytes <= 0) return;
    try {
      this.#ledger.charge(bytes);
    } catch {
      this.#ledger.doubt();
    }
  }

  /** Around what brings the log into the file: a checkpoint, or the end of the last connection, which removes the log. */
  around<T>(work: () => T): T {
    const mark = this.#ledger.mark();
    const before = this.#wholeSize();
    const result = work();
    const after = this.#wholeSize();
    if (before === null || after === null) this.#ledger.doubt();
    else this.#settle(after - before, mark);
    return result;
  }

  /** Null: the disk does not say. */
  #wholeSize(): number | null {
    try {
      return this.#file.size;
    } catch {
      return null;
    }
  }
}
