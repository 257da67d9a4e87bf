import { setImmediate, setTimeout, type Timer } from '../../runtime/timers.ts';
import { warn } from '../../runtime/warning.ts';
import type { BlobDirectory } from './blob-directory.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { SqlSession } from './sql-session.ts';

/** How long what may be garbage waits for more, and for readers of older states to end; in milliseconds. */
const WAIT_MS = 200;
const LONGEST_WAIT_MS = 30_000;

/** Files that are looked at in one turn. */
const AT_ONCE = 64;

/**
 * Deletes files that no record mentions. Invariants, for a file to be deleted:
 * - nobody held it before the records were asked: else a transaction that mentions it may have committed in between;
 * - no record mentions it;
 * - nobody reads a state in which one does: the checkpoint says so;
 * - nobody holds it after that: else somebody who read it then wants to keep it. Whoever lets go looks again.
 */
export class BlobGarbage {
  readonly #blobs: BlobDirectory;
  readonly #session: SqlSession;
  /** Null: nobody may read while somebody writes, nor look for garbage. */
  readonly #checkpoints: Checkpoints | null;
  readonly #isIdle: () => boolean;
  #waiting = new Set<number>();
  #timer: Timer | null = null;
  #wait = WAIT_MS;

  constructor(blobs: BlobDirectory, session: SqlSession, checkpoints: Checkpoints | null, isIdle: () => boolean) {
    this.#blobs = blobs;
    this.#session = session;
    this.#checkpoints = checkpoints;
    this.#isIdle = isIdle;
  }

  /** Files that may be garbage. */
  add(ids: Iterable<number>): void {
    for (const id of ids) this.#waiting.add(id);
    if (this.#waiting.size > 0 && this.#checkpoints !== null) this.#schedule();
  }

  /** To be called after a commit, while nobody else may read or write: where nobody may read at other times, that is when. */
  afterCommit(): void {
    if (this.#checkpoints === null && this.#waiting.size > 0) this.#tryToCollect();
  }

  /** Something was undone, maybe for want of the room that what is waiting takes. */
  collectSoon(): void {
    if (this.#waiting.size === 0 || this.#checkpoints === null) return;
    setImmediate(() => {
      if (this.#isIdle() && this.#waiting.size > 0) this.#tryToCollect();
    });
  }

  #schedule(): void {
    this.#timer ??= setTimeout(() => this.#run(), this.#wait).unref();
  }

  #run(): void {
    this.#timer = null;
    const isDone = this.#isIdle() && this.#tryToCollect();
    this.#wait = isDone ? WAIT_MS : Math.min(2 * this.#wait, LONGEST_WAIT_MS);
    if (this.#waiting.size > 0) this.#schedule();
  }

  /** False: it has to be tried again. */
  #tryToCollect(): boolean {
    try {
      return this.collect();
    } catch (error) {
      warn({ code: 'background-failed', message: `Files of ${this.#blobs.path} that nothing mentions could not be deleted.`, path: this.#blobs.path, cause: error });
      return false;
    }
  }

  /** Deletes some of what is waiting. @returns false when somebody reads an older state */
  collect(): boolean {
    const some = [...this.#waiting].slice(0, AT_ONCE);
    const garbage = some.filter((id) => !this.#blobs.isHeld(id) && !this.isMentioned(id));
    if (garbage.length > 0 && this.#checkpoints?.run() === false) return false;
    for (const id of garbage) if (!this.#blobs.isHeld(id)) this.#blobs.remove(id);
    for (const id of some) this.#waiting.delete(id);
    return true;
  }

  isMentioned(id: number): boolean {
    return this.#session.by('SELECT 1 FROM blobs WHERE id = ?').get(id) !== undefined;
  }

  close(): void {
    this.#waiting.clear();
  }
}
