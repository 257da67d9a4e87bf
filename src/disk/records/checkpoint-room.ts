import fs from 'node:fs';
import type { SqlSession } from './sql-session.ts';
import { KEPT_LOG_BYTES, PAGE_BYTES, type SqliteFile } from './sqlite-file.ts';

/** What a checkpoint leaves free, as other writes do: bytes, or a part of a smaller disk. */
const FLOOR_BYTES = 2 ** 27;
const FLOOR_PART = 20;

/**
 * Whether the disk has room for what a checkpoint adds to a database's file: all that was committed is on the disk twice
 * for a moment. A checkpoint that takes the last of it fails, and leaves no room for what would delete something.
 */
export class CheckpointRoom {
  readonly #session: SqlSession;
  readonly #file: SqliteFile;

  constructor(session: SqlSession, file: SqliteFile) {
    this.#session = session;
    this.#file = file;
  }

  /** `logBytes`: what the log has, or is about to have. Up to what is kept of it anyway the disk's floor suffices. */
  suffices(logBytes: number): boolean {
    if (logBytes <= KEPT_LOG_BYTES || !this.#file.driver.hasSnapshots) return true;
    const pages = this.#session.by('PRAGMA page_count').get()?.[0] as number;
    return pages * PAGE_BYTES - this.#file.ownSize <= this.#left;
  }

  /** Where the disk cannot be asked, it has room. */
  get #left(): number {
    try {
      const { bavail, blocks, bsize } = fs.statfsSync(this.#file.path);
      return blocks > 0 ? bavail * bsize - Math.min(FLOOR_BYTES, (blocks * bsize) / FLOOR_PART) : Infinity;
    } catch {
      return Infinity;
    }
  }
}
