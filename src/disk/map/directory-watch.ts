import { AsyncLocalStorage } from 'node:async_hooks';
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate } from 'node:timers';
import { watchInBackground } from '../../runtime/watch.ts';
import { poll } from './poll.ts';

/** Watchers serve every client of the realm: none may run for ever in the context of the one that started it. */
const outsideContexts: <Result>(body: () => Result) => Result = AsyncLocalStorage.snapshot();

/**
 * Calls `onNews` soon after something changed in a directory, and when the directory comes into being. Calls may be
 * too many, never too few: where the system cannot watch, it looks about once a second. It keeps no process alive.
 */
export class DirectoryWatch {
  readonly #directory: string;
  readonly #onNews: () => void;
  #watcher: fs.FSWatcher | null = null;
  /** What is watched: the directory, or the nearest directory above it that exists. */
  #watched = '';
  #stopPolling: (() => void) | null = null;
  #looking = false;
  #closed = false;

  /** `looksToo`: watching a disk that is shared by machines tells only what this one does. */
  constructor(directory: string, onNews: () => void, looksToo = false) {
    this.#directory = directory;
    this.#onNews = onNews;
    outsideContexts(() => this.#aim());
    if (looksToo) this.#startPolling();
  }

  close(): void {
    this.#closed = true;
    this.#release();
    this.#stopPolling?.();
  }

  /** Watches the nearest directory there is; one that appears while a farther one is being watched is nearer. */
  #aim(): void {
    for (let nearest = this.#nearest(); nearest !== this.#watched; nearest = this.#nearest()) {
      this.#release();
      if (!this.#watch(nearest)) return;
    }
  }

  #nearest(): string {
    let candidate = this.#directory;
    while (!fs.existsSync(candidate) && candidate !== path.dirname(candidate)) candidate = path.dirname(candidate);
    return candidate;
  }

  #watch(directory: string): boolean {
    try {
      this.#watcher = watchInBackground(
        directory,
        () => this.#heard(),
        () => this.#fallBack(),
      );
      this.#watched = directory;
      return true;
    } catch {
      this.#fallBack();
      return false;
    }
  }

  /** One look answers all events of a turn. */
  #heard(): void {
    if (this.#looking) return;
    this.#looking = true;
    setImmediate(() => {
      this.#looking = false;
      this.#look();
    });
  }

  #look(): void {
    if (this.#closed) return;
    if (this.#watched !== this.#directory && this.#stopPolling === null) this.#aim();
    this.#onNews();
  }

  /** Too many watches on this machine, no permission, a disk that cannot be watched. */
  #fallBack(): void {
    this.#release();
    if (this.#closed) return;
    this.#startPolling();
  }

  #startPolling(): void {
    this.#stopPolling ??= outsideContexts(() => poll(() => this.#look()));
  }

  #release(): void {
    this.#watcher?.close();
    this.#watcher = null;
    this.#watched = '';
  }
}
