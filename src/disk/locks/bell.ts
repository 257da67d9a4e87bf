import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { watchInBackground } from '../../runtime/watch.ts';
import { diskError } from '../journal/disk-error.ts';
import { isLink } from '../directories.ts';

// Windows has neither flag, and not every runtime heeds the first.
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants as Partial<typeof fs.constants>;

/**
 * How a session is told to look at the journal: a file of its own, which it watches and others write to. A hint only;
 * a ring may be missed (the watch may be refused by the system, the ringer may be killed), so whoever waits also polls.
 */
export class Bell {
  readonly #path: string;
  readonly #onRing: () => void;
  readonly #detach: <T>(body: () => T) => T;
  #watcher: fs.FSWatcher | null = null;
  #isRefused = false;

  /** `detach` starts the watch outside of the caller's asynchronous context. */
  constructor(bucket: string, folder: string, onRing: () => void, detach: <T>(body: () => T) => T) {
    this.#path = bellPath(bucket, folder);
    this.#onRing = onRing;
    this.#detach = detach;
  }

  /** Rings another session's bell. Its file is never created here: that session may be gone. */
  static ring(bucket: string, folder: string): void {
    const bell = bellPath(bucket, folder);
    let descriptor: number;
    try {
      if (fs.lstatSync(bell, { throwIfNoEntry: false })?.isFile() !== true) return;
      descriptor = fs.openSync(bell, fs.constants.O_RDWR | O_NOFOLLOW | O_NONBLOCK);
    } catch {
      return; // Nobody listens.
    }
    try {
      fs.writeSync(descriptor, '.', 0);
    } catch {
      // A full disk: the other one polls.
    } finally {
      fs.closeSync(descriptor);
    }
  }

  /** Removes the file of a session that is gone. */
  static remove(bucket: string, folder: string): void {
    fs.rmSync(bellPath(bucket, folder), { force: true });
  }

  get isWatched(): boolean {
    return this.#watcher !== null;
  }

  /**
   * Begins to listen; where the system refuses (no watches or no space left), stays deaf.
   *
   * @param again - whether to try what was refused before.
   * @returns whether it has begun, or tried to.
   */
  watch(again: boolean): boolean {
    if (this.#watcher !== null || (this.#isRefused && !again)) return false;
    try {
      this.#watcher = this.#detach(() => this.#startWatching());
      this.#isRefused = false;
    } catch {
      this.#isRefused = true;
    }
    return true;
  }

  /** Stops listening. */
  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  #startWatching(): fs.FSWatcher {
    if (isLink(this.#path)) throw new Error(`${this.#path} is a symbolic link`);
    fs.closeSync(fs.openSync(this.#path, 'a', 0o600));
    const watcher = watchInBackground(
      this.#path,
      () => this.#onRing(),
      () => this.#fail(watcher),
    );
    return watcher;
  }

  #fail(watcher: fs.FSWatcher): void {
    watcher.close();
    if (this.#watcher === watcher) this.#watcher = null;
  }
}

/**
 * Looks once at where the sessions of a bucket have their bells and leases.
 *
 * @throws HoldfastError `root-unusable` where that is outside of the bucket.
 */
export function requireWake(bucket: string): void {
  const wake = path.join(bucket, 'wake');
  let isPlain: boolean;
  try {
    isPlain = !isLink(wake);
  } catch (error) {
    throw diskError(error, 'look at', wake);
  }
  if (!isPlain) throw new HoldfastError('root-unusable', `${wake} is a symbolic link, which is not followed.`);
}

function bellPath(bucket: string, folder: string): string {
  return path.join(bucket, 'wake', folder);
}
