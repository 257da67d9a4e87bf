import type { Space } from '../journal/space.ts';
import type { SqlSession } from './sql-session.ts';
import { KEPT_LOG_BYTES, PAGE_BYTES, type SqliteFile } from './sqlite-file.ts';

/**
 * Whether the disk has room for what a checkpoint adds to a database's file: all that was committed is on the disk twice
 * for a moment. A checkpoint that takes the last of it fails, and leaves no room for what would delete something.
 */
export class CheckpointRoom {
  readonly #session: SqlSession;
  readonly #file: SqliteFile;
  readonly #space: Space | undefined;

  /** `space`: that of the disk; without, it always has room. */
  constructor(session: SqlSession, file: SqliteFile, space: Space | undefined) {
    this.#session = session;
    this.#file = file;
    this.#space = space;
  }

  /**
   * Up to what is kept of a log anyway the disk's floor suffices; and a file that does not grow needs nothing.
   *
   * @param logBytes - what the log has, or is about to have
   */
  suffices(logBytes: number): boolean {
    if (logBytes <= KEPT_LOG_BYTES || !this.#file.driver.hasSnapshots) return true;
    const pages = this.#session.by('PRAGMA page_count').get()?.[0] as number;
    const growth = pages * PAGE_BYTES - this.#file.ownSize;
    return growth <= 0 || growth <= (this.#space?.left(false) ?? Infinity);
  }
}
