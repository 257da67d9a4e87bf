import fs from 'node:fs';
import path from 'node:path';
import { watchInBackground } from '../../runtime/watch.ts';

/**
 * How a session is told to look at the journal: a file of its own, which it watches and others write to. A hint only;
 * a ring may be missed (the watch may be refused by the system, the ringer may be killed), so whoever waits also polls.
 */
export class Bell {
  readonly #path: string;
  readonly #onRing: () => void;
  readonly #detach: <T>(body: () => T) => T;
  #watcher: fs.FSWatcher | null = null;

  /** `detach` starts the watch outside of the caller's asynchronous context. */
  constructor(bucket: string, folder: string, onRing: () => void, detach: <T>(body: () => T) => T) {
    this.#path = bellPath(bucket, folder);
    this.#onRing = onRing;
    this.#detach = detach;
  }

  /** Rings another session's bell. Its file is never created here: that session may be gone. */
  static ring(bucket: string, folder: string): void {
    let descriptor: number;
    try {
      descriptor = fs.openSync(bellPath(bucket, folder), 'r+');
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

  /** Begins to listen; where the system refuses (no watches or no space left), stays deaf. */
  watch(): void {
    if (this.#watcher !== null) return;
    try {
      this.#watcher = this.#detach(() => this.#startWatching());
    } catch {
      this.#watcher = null;
    }
  }

  /** Stops listening. */
  close(): void {
    this.#watcher?.close();
    this.#watcher = null;
  }

  #startWatching(): fs.FSWatcher {
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

function bellPath(bucket: string, folder: string): string {
  return path.join(bucket, 'wake', folder);
}
