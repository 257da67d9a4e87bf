import { HoldfastError } from '../../../../../runtime/holdfast-error.ts';
import { warn } from '../../../../../runtime/warning.ts';
import { Turns } from '../turns.ts';
import type { CommitLog } from './commit-log.ts';

/** Bytes beyond which nothing more is committed before they are. */
const MOST_BYTES = 2 ** 29;

interface Settled {
  settle(): void;
}

/**
 * Moves what was committed into the journals of the logs, one log after the other, giving way to others in between, and
 * has the commit journal forget it. What fails stays committed, and is tried again later.
 */
export class Settling {
  readonly #commits: CommitLog;
  readonly #find: (name: string) => Settled | null;
  readonly #settleAt: number;
  /** The size below which it is not tried (again). */
  #patience: number;
  #isRunning = false;
  #isOver = false;

  /** @param settleAt - bytes of commits from which on they are settled */
  constructor(commits: CommitLog, find: (name: string) => Settled | null, settleAt: number) {
    this.#commits = commits;
    this.#find = find;
    this.#settleAt = settleAt;
    this.#patience = settleAt;
  }

  /** Begins, if there is enough to do. */
  begin(): void {
    if (this.#isRunning || this.#isOver || this.#commits.size < this.#patience) return;
    this.#isRunning = true;
    void this.#settleAll().finally(() => (this.#isRunning = false));
  }

  /** @throws HoldfastError `disk-full` when too much waits to be settled */
  requireRoom(): void {
    if (this.#commits.size < MOST_BYTES) return;
    this.begin();
    throw new HoldfastError('disk-full', `The hub has ${this.#commits.size} bytes of commits that it could not write to the journals of their logs.`);
  }

  async #settleAll(): Promise<void> {
    try {
      const turns = new Turns();
      for (const name of this.#commits.names()) {
        await turns.next();
        if (this.#isOver) return;
        this.#settle(name);
      }
      this.#commits.compact();
      this.#patience = Math.max(this.#settleAt, 2 * this.#commits.size);
    } catch (error) {
      this.#fail(error);
    }
  }

  #settle(name: string): void {
    try {
      const log = this.#find(name);
      if (log === null) this.#commits.settle(name, Number.MAX_SAFE_INTEGER);
      else log.settle();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.#patience = 2 * this.#commits.size;
    const message = 'What a hub has committed could not be written to the journal of its log yet; it stays committed, and is tried again.';
    warn({ code: 'background-failed', message, path: this.#commits.directory, cause: error });
  }

  end(): void {
    this.#isOver = true;
  }
}
