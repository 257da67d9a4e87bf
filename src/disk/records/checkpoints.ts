import { setImmediate } from '../../runtime/timers.ts';
import { warn } from '../../runtime/warning.ts';
import type { CheckpointRoom } from './checkpoint-room.ts';
import type { Growth } from './growth.ts';
import type { LogFile } from './log-file.ts';
import { FRAME_HEADER_BYTES, LogFill } from './log-fill.ts';
import { RecordsBusyError } from './records-error.ts';
import type { SqlSession } from './sql-session.ts';
import { PAGE_BYTES, type SqliteFile } from './sqlite-file.ts';

/** What a page takes in the log. */
const FRAME_BYTES = PAGE_BYTES + FRAME_HEADER_BYTES;

/** By how many pages its file has grown, or been cut, when it is looked how many there are in the log. */
const LOOK_PAGES = 64;

/** And after how many commits; more where it takes that many to reach MANY, for most write fewer pages. */
const LOOK_AFTER = 16;
const PAGES_OF_COMMIT = 4;

/** Pages in the log from which on it is brought into the file when there is time; and at once. */
const MANY = 1000;
const TOO_MANY = 4000;

/**
 * Brings what was committed from a database's log into its file. The disk keeps the log first, in the thread pool, so that
 * the checkpoint, which has the loop wait, has little left to sync.
 */
export class Checkpoints {
  readonly #file: SqliteFile;
  readonly #log: LogFile;
  readonly #session: SqlSession;
  readonly #growth: Growth;
  readonly #room: CheckpointRoom;
  /** Whether the session has no transaction open, and is open. */
  readonly #isIdle: () => boolean;
  /** Runs what has the loop wait. */
  readonly #timed: <T>(checkpoint: () => T) => T;
  #isDue = false;
  readonly #fill: LogFill;
  /** The file's size at the last look. */
  #bytes = 0;
  /** Commits until it is looked next. */
  #unseen = 0;
  /** The pages in the log after a checkpoint that could not bring over all of it: somebody reads what is older. */
  #stuckAt = 0;

  constructor(file: SqliteFile, log: LogFile, session: SqlSession, growth: Growth, room: CheckpointRoom, isIdle: () => boolean, timed: <T>(checkpoint: () => T) => T) {
    this.#file = file;
    this.#log = log;
    this.#session = session;
    this.#growth = growth;
    this.#room = room;
    this.#isIdle = isIdle;
    this.#timed = timed;
    this.#fill = new LogFill(PAGE_BYTES, (length, at) => log.read(length, at));
  }

  /** To be called after each commit; `bytes`: the size that the log's file has then. */
  logIs(bytes: number): void {
    if (bytes < MANY * FRAME_BYTES) return;
    if (--this.#unseen > 0 && Math.abs(bytes - this.#bytes) < LOOK_PAGES * FRAME_BYTES) return;
    this.#bytes = bytes;
    this.#look();
  }

  #look(): void {
    const pages = this.#pages();
    this.#unseen = Math.max(LOOK_AFTER, Math.floor((MANY - pages) / PAGES_OF_COMMIT));
    if (pages < MANY) this.#stuckAt = 0;
    if (pages < MANY || pages < 1.25 * this.#stuckAt) return;
    if (pages >= TOO_MANY && this.#isIdle()) this.#try();
    else if (!this.#isDue) {
      this.#isDue = true;
      void this.#later();
    }
  }

  /** As many as there can be where the disk does not say. */
  #pages(): number {
    try {
      return this.#fill.count();
    } catch {
      return Math.ceil(this.#bytes / FRAME_BYTES);
    }
  }

  async #later(): Promise<void> {
    try {
      await this.#log.sync();
    } catch (error) {
      warn({ code: 'background-failed', message: `The log of ${this.#file.path} could not be synced.`, path: this.#file.path, cause: error });
    }
    setImmediate(() => {
      this.#isDue = false;
      if (this.#isIdle()) this.#try();
    });
  }

  #try(mode?: 'TRUNCATE'): void {
    try {
      if (!this.run(mode)) this.#stuckAt = this.#pages();
    } catch (error) {
      warn({ code: 'background-failed', message: `A checkpoint of ${this.#file.path} failed.`, path: this.#file.path, cause: error });
    }
  }

  /** Soon, where the bucket has no room: gives back what the log takes, unless somebody reads what is older. */
  cutSoon(): void {
    setImmediate(() => {
      if (this.#isIdle() && this.#file.logSize > 0) this.#try('TRUNCATE');
    });
  }

  /**
   * @returns whether all of the log is in the file now. Then nobody reads a state that is older: a reader of one keeps
   *   what was written after it in the log. Nor is it where the disk has no room for it.
   */
  run(mode: 'PASSIVE' | 'TRUNCATE' = 'PASSIVE'): boolean {
    if (!this.#room.suffices(this.#file.logSize)) return false;
    try {
      const [busy, inLog, brought] = this.#timed(() => this.#growth.around(() => this.#session.by(`PRAGMA wal_checkpoint(${mode})`).get())) ?? [];
      return busy === 0 && inLog === brought;
    } catch (error) {
      if (error instanceof RecordsBusyError) return false;
      throw error;
    }
  }
}
