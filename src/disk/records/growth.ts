import type { Ledger } from '../quota/ledger.ts';
import type { SqlSession } from './sql-session.ts';
import { PAGE_BYTES, type SqliteFile } from './sqlite-file.ts';

/** Written bytes after which a transaction that still goes on is looked at. */
const LOOK_BYTES = 2 ** 20;

/** Free pages that are given back by one commit, and from how many on they are. */
const VACUUM_PAGES = 64;
const FREE_PAGES = 256;

/**
 * What a database's file and log take of the bucket's account. Invariants
 * - Of the file its pages are charged for, before the transaction that adds them commits; when it is undone they are
 *   refunded. Only what changed during a transaction of this realm is charged here: others charge for theirs.
 * - Of the log, which grows by an unknown amount and goes away by itself, what has come is charged for afterwards.
 */
export class Growth {
  readonly #session: SqlSession;
  readonly #file: SqliteFile;
  readonly #ledger: Ledger;
  /** Pages that are paid for, of the open transaction. */
  #pages = 0;
  #charged = 0;
  #written = 0;
  #log: number;
  #hasDeleted = false;

  constructor(session: SqlSession, file: SqliteFile, ledger: Ledger) {
    this.#session = session;
    this.#file = file;
    this.#ledger = ledger;
    this.#log = file.logSize;
  }

  begin(): void {
    this.#pages = this.#pageCount();
    this.#charged = 0;
    this.#written = 0;
    if (this.#file.driver.hasSnapshots) this.#log = this.#file.logSize;
  }

  #pageCount(): number {
    return this.#session.by('PRAGMA page_count').get()?.[0] as number;
  }

  admit(bytes: number): void {
    this.#written += bytes;
    if (this.#written < LOOK_BYTES) return;
    this.#written = 0;
    this.#charge();
  }

  /** Something was deleted: there may be pages to give back. */
  deleted(): void {
    this.#hasDeleted = true;
  }

  beforeCommit(): void {
    if (this.#hasDeleted) this.#vacuum();
    this.#charge();
  }

  #vacuum(): void {
    const free = this.#session.by('PRAGMA freelist_count').get()?.[0] as number;
    if (free > FREE_PAGES) this.#session.connection.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    else this.#hasDeleted = false;
  }

  #charge(): void {
    const pages = this.#pageCount();
    const grown = (pages - this.#pages) * PAGE_BYTES;
    if (grown > 0) {
      this.#ledger.charge(grown);
      this.#charged += grown;
      this.#pages = pages;
    } else if (grown < 0) {
      this.#ledger.free(-grown, this.#ledger.mark());
      this.#pages = pages;
    }
  }

  rolledBack(): void {
    this.#ledger.refund(this.#charged);
    this.#charged = 0;
  }

  /** The log's size, while the writer's lock is held. */
  logIs(bytes: number): void {
    const grown = bytes - this.#log;
    this.#log = bytes;
    if (grown > 0) this.#chargeLog(grown);
    else if (grown < 0) this.#ledger.free(-grown, this.#ledger.mark());
  }

  #chargeLog(bytes: number): void {
    try {
      this.#ledger.charge(bytes);
    } catch {
      this.#ledger.doubt(); // It is there, and will be counted; the next transaction that grows is refused.
    }
  }

  /** Whoever closes the last connection of all realms removes the log. */
  aroundClose(close: () => void): void {
    const before = this.#file.logSize;
    const mark = this.#ledger.mark();
    close();
    const gone = before - this.#file.logSize;
    if (gone > 0) this.#ledger.free(gone, mark);
  }
}
