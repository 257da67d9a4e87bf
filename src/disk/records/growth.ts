import { OverQuotaError, type Ledger, type Mark } from '../quota/ledger.ts';
import type { CheckpointRoom } from './checkpoint-room.ts';
import type { LogFile } from './log-file.ts';
import type { SqlSession } from './sql-session.ts';
import { PAGE_BYTES, type SqliteFile } from './sqlite-file.ts';

/** Written bytes after which a transaction that still goes on pays. */
const PART_BYTES = 2 ** 20;

/** What a commit adds to the log besides what was written, as a guess: a few pages of which only a part has changed. */
const MORE_BYTES = 4 * PAGE_BYTES;

/**
 * What may be charged for transactions that followed one another before it is looked how much they have added: a look at
 * the size costs as much as the charge of some.
 */
const UNSEEN_BYTES = 2 ** 17;

/** Free pages that are given back by one commit, and from how many on they are. */
const VACUUM_PAGES = 64;
const FREE_PAGES = 256;

/**
 * What a database's file and log take of the bucket's account. Invariants
 * - What a transaction will add is charged for before it commits, as a guess; afterwards, while nobody else writes, the
 *   sizes say what it was. Only what changes while this realm writes, or brings the log into the file, is charged here.
 * - Of transactions that follow one another with nobody else's in between the sizes of a log may be looked at together,
 *   before anybody else can write.
 * - What cannot be paid for any more, as it is there already, is left to a count.
 */
export class Growth {
  readonly #session: SqlSession;
  readonly #file: SqliteFile;
  readonly #log: LogFile;
  readonly #ledger: Ledger;
  readonly #room: CheckpointRoom;
  #before = 0;
  #charged = 0;
  /** Charged for transactions that have ended, of which it was not looked yet what they have added. */
  #unseen = 0;
  #written = 0;
  #hasDeleted = false;
  /** Whether there may be something in the log that this realm has put there. */
  #hasWritten = false;
  /** Whether the bucket had no room for the transaction that writes, or did last. */
  isShort = false;

  constructor(session: SqlSession, file: SqliteFile, log: LogFile, ledger: Ledger, room: CheckpointRoom) {
    this.#session = session;
    this.#file = file;
    this.#log = log;
    this.#ledger = ledger;
    this.#room = room;
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
    this.#hasWritten = true;
    if (hasChanged) {
      this.#giveUp();
      this.#before = this.#size();
    }
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
    this.#requireRoom();
    this.#charge();
    this.isShort = false;
    this.#charged += this.#written;
    this.#written = 0;
  }

  #requireRoom(): void {
    if (this.#room.admits(this.#written, this.#before + this.#unseen + this.#charged + this.#written)) return;
    throw new OverQuotaError(`The disk of ${this.#file.path} has no room for so much in one transaction: it is in the log and in the file for a while.`, 0, 0);
  }

  /** Where there is no room, what was charged for those before may be more than they took. */
  #charge(): void {
    try {
      this.#ledger.charge(this.#written);
    } catch (error) {
      if (this.#unseen === 0) throw error;
      this.#look();
      this.#ledger.charge(this.#written);
    }
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

  /**
   * It has committed, or was rolled back, and nobody else has written yet. `mayWait`: nobody will before {@link rest} is
   * called. @returns the log's size, where it is that which grows, as it was seen last
   */
  ended(mayWait: boolean): number {
    this.#unseen += this.#charged;
    this.#charged = 0;
    if (!mayWait || this.#unseen >= UNSEEN_BYTES) this.#look();
    return this.#before;
  }

  /** Others may write from now on. Never throws. */
  rest(): void {
    if (this.#unseen === 0) return;
    if (this.#haveOthersWritten()) this.#giveUp();
    else this.#look();
  }

  /** The turn was taken away before it was looked: what has grown is also what others were charged for. */
  #giveUp(): void {
    if (this.#unseen > 0) this.#ledger.doubt();
    this.#unseen = 0;
  }

  /** Whoever was paused for long has lost its turn, and knows nothing of that. */
  #haveOthersWritten(): boolean {
    try {
      return this.#session.haveOthersCommitted();
    } catch {
      return true;
    }
  }

  #look(): void {
    const size = this.#sizeNow();
    const grown = size - this.#before;
    const owed = Math.max(0, grown) - this.#unseen;
    if (owed > 0) this.#settle(owed);
    else if (owed < 0) this.#ledger.refund(-owed);
    if (grown < 0) this.#settle(grown);
    this.#unseen = 0;
    this.#before = size;
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

  /**
   * Around the end of connections, of which the last one of all brings the log into the file and removes it. Whoever has
   * only read leaves no trace in the account, unless it was the last: others go by that to see that something has changed.
   */
  closing<T>(work: () => T): T {
    if (this.#hasWritten) return this.around(work);
    const before = this.#wholeSize();
    const result = work();
    const after = this.#wholeSize();
    if (before === null || after === null || after < before) this.#ledger.doubt();
    return result;
  }

  /** Around what brings the log into the file. */
  around<T>(work: () => T): T {
    this.rest();
    const mark = this.#ledger.mark();
    const before = this.#wholeSize();
    const result = work();
    const after = this.#wholeSize();
    if (before === null || after === null) this.#ledger.doubt();
    else this.#settle(after - before, mark);
    if (this.#file.driver.hasSnapshots) this.#before = Math.min(this.#before, this.#logSize());
    return result;
  }

  /** What a checkpoint has cut is paid back by then: the next transaction must not find it missing once more. */
  #logSize(): number {
    try {
      return this.#file.logSize;
    } catch {
      return Infinity;
    }
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
