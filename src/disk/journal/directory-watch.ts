import fs from 'node:fs';
import path from 'node:path';
import { outsideContexts } from '../../runtime/callback-context.ts';
import { setImmediate } from '../../runtime/timers.ts';
import { watchInBackground } from '../../runtime/watch.ts';
import { poll } from './poll.ts';

export interface DirectoryWatchOptions {
  /** Watching a disk that is shared by machines tells only what this one does. */
  readonly looksToo?: boolean;
  /** Called before `onNews` when another directory has taken the place of the one that was watched, or none. */
  readonly onReplaced?: () => void;
}

/**
 * Calls `onNews` soon after something changed in a directory, and when the directory comes into being. Calls may be
 * too many, never too few: where the system cannot watch, it looks about once a second. It keeps no process alive.
 */
export class DirectoryWatch {
  readonly #directory: string;
  readonly #onNews: () => void;
  readonly #onReplaced: () => void;
  #watcher: fs.FSWatcher | null = null;
  /** What is watched: the directory, or the nearest directory above it that exists. */
  #watched = '';
  /** Which directory that is. */
  #inode = 0;
  #stopPolling: (() => void) | null = null;
  #looking = false;
  #closed = false;

  constructor(directory: string, onNews: () => void, { looksToo = false, onReplaced = () => {} }: DirectoryWatchOptions = {}) {
    this.#directory = directory;
    this.#onNews = onNews;
    this.#onReplaced = onReplaced;
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
      this.#inode = inodeOf(directory);
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
    if (this.#stopPolling === null) this.#aimAgain();
    this.#onNews();
  }

  /** What is watched may have gone, and something else may have its name. */
  #aimAgain(): void {
    if (inodeOf(this.#watched) !== this.#inode) {
      this.#release();
      this.#onReplaced();
    }
    if (this.#watched !== this.#directory) this.#aim();
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

/** 0 where nothing is, or nobody may look. */
function inodeOf(directory: string): number {
  try {
    return fs.statSync(directory, { throwIfNoEntry: false })?.ino ?? 0;
  } catch {
    return 0;
  }
}
