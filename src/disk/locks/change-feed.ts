import type fs from 'node:fs';
import { type Timer, clearInterval, setInterval } from '../../runtime/timers.ts';
import { watchInBackground } from '../../runtime/watch.ts';
import type { FileChange } from './lock-table.ts';

interface Listener {
  readonly onChange: (change: FileChange) => void;
  readonly onGap: () => void;
}

export interface ChangeFeedOptions {
  /** The directory of the journal. */
  readonly directory: string;
  /** Reads the news of the journal. */
  readonly look: () => void;
  readonly lookMs: number;
  readonly detach: <T>(body: () => T) => T;
}

/** How often a feed looks whose watch the system has refused, in milliseconds. */
const DEAF_LOOK_MS = 50;

/** Who listens to changes of files. While anybody does, the journal is watched; that keeps no process alive. */
export class ChangeFeed {
  readonly #options: ChangeFeedOptions;
  readonly #listeners = new Set<Listener>();
  #watcher: fs.FSWatcher | null = null;
  #timer: Timer | null = null;

  constructor(options: ChangeFeedOptions) {
    this.#options = options;
  }

  get hasListeners(): boolean {
    return this.#listeners.size > 0;
  }

  add(onChange: (change: FileChange) => void, onGap: () => void): () => void {
    const listener = { onChange, onGap };
    this.#listeners.add(listener);
    if (this.#timer === null) this.#options.detach(() => this.#start());
    return () => {
      this.#listeners.delete(listener);
      if (!this.hasListeners) this.#stop();
    };
  }

  changed(change: FileChange): void {
    for (const listener of [...this.#listeners]) listener.onChange(change);
  }

  gap(): void {
    for (const listener of [...this.#listeners]) listener.onGap();
  }

  close(): void {
    this.#listeners.clear();
    this.#stop();
  }

  #start(): void {
    const { directory, look, lookMs } = this.#options;
    try {
      this.#watcher = watchInBackground(directory, look, () => this.#restart());
    } catch {
      this.#watcher = null; // No watches left: the timer alone must do.
    }
    this.#timer = setInterval(look, this.#watcher === null ? DEAF_LOOK_MS : lookMs);
    this.#timer.unref();
    look();
  }

  /** The journal is another one: what changed meanwhile is not known. */
  restart(): void {
    this.gap();
    this.#restart();
  }

  #restart(): void {
    this.#stop();
    if (this.hasListeners) this.#options.detach(() => this.#start());
  }

  #stop(): void {
    this.#watcher?.close();
    this.#watcher = null;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
