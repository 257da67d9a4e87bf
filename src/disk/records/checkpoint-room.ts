import type { Space } from '../journal/space.ts';
import type { SqlSession } from './sql-session.ts';
import { KEPT_LOG_BYTES, PAGE_BYTES, type SqliteFile } from './sqlite-file.ts';

/** Of what is spare this part may be written before the disk is asked again: others write too. */
const CREDIT_PART = 16;
const LARGEST_CREDIT = 2 ** 20;

/**
 * Whether the disk has room for what a checkpoint adds to a database's file: all that was committed is on the disk twice
 * for a moment. A checkpoint that takes the last of it fails, and leaves no room for what would delete something.
 */
export class CheckpointRoom {
  readonly #session: SqlSession;
  readonly #file: SqliteFile;
  readonly #space: Space | undefined;
  /** Bytes that may be written before anybody looks again. */
  #credit = 0;

  /** `space`: that of the disk; without, it always has room. */
  constructor(session: SqlSession, file: SqliteFile, space: Space | undefined) {
    this.#session = session;
    this.#file = file;
    this.#space = space;
  }

  /** For a checkpoint of a log of so many bytes. */
  suffices(logBytes: number): boolean {
    return this.#spare(logBytes) >= 0;
  }

  /** For a checkpoint after so many bytes more, when the log has so many. Costs a subtraction, and now and then a look. */
  admits(bytes: number, logBytes: number): boolean {
    this.#credit -= bytes;
    if (this.#credit >= 0) return true;
    const spare = this.#spare(logBytes);
    this.#credit = Math.max(0, Math.min(spare / CREDIT_PART, LARGEST_CREDIT));
    return spare >= 0;
  }

  /** Up to what is kept of a log anyway the disk's floor suffices; and a file that does not grow needs nothing. */
  #spare(logBytes: number): number {
    if (logBytes <= KEPT_LOG_BYTES || !this.#file.driver.hasSnapshots || this.#space === undefined) return Infinity;
    const pages = this.#session.by('PRAGMA page_count').get()?.[0] as number;
    const growth = pages * PAGE_BYTES - this.#file.ownSize;
    return growth <= 0 ? Infinity : this.#space.left(false) - growth;
  }
}
