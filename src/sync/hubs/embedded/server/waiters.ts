import type { Watched } from '../operations.ts';
import type { HubStore } from './hub-store.ts';
import type { StoredLog } from './stored-log.ts';

/** How long a request to wait is held when there are no news, in milliseconds. */
const HOLD_MS = 25_000;

/** Looking at many logs may read many files; others have their turn after so many milliseconds. */
const TURN_MS = 5;

type News = readonly (readonly [index: number, position: number])[];

/** The requests that wait for something to be appended. */
export class Waiters {
  readonly #store: HubStore;
  readonly #byLog = new Map<string, Set<() => void>>();
  readonly #all = new Set<() => void>();
  #closed = false;

  constructor(store: HubStore) {
    this.#store = store;
  }

  wake(log: StoredLog): void {
    for (const wake of this.#byLog.get(log.name) ?? []) wake();
  }

  /** Answers all that wait, and from now on at once. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#all) wake();
  }

  /** Resolves to what is elsewhere than known: at once, as soon as there is something, or to nothing after a while. */
  async wait(watched: readonly Watched[], signal: AbortSignal): Promise<News> {
    let wake = (): void => undefined;
    const woken = new Promise<void>((resolve) => (wake = resolve));
    const timer = setTimeout(wake, HOLD_MS);
    signal.addEventListener('abort', wake);
    // Before the first look, so that nothing falls between it and the waiting.
    this.#register(watched, wake);
    try {
      const news = await this.#look(watched);
      if (news.length > 0 || this.#closed || signal.aborted) return news;
      await woken;
      return signal.aborted ? [] : await this.#look(watched);
    } finally {
      clearTimeout(timer);
      this.#unregister(watched, wake);
    }
  }

  async #look(watched: readonly Watched[]): Promise<News> {
    const news: [number, number][] = [];
    let turn = performance.now();
    for (const [index, { log, position: known }] of watched.entries()) {
      const position = this.#positionOf(log);
      if (position !== null && position !== known) news.push([index, position]);
      if (performance.now() - turn < TURN_MS) continue;
      await new Promise((resolve) => setImmediate(resolve));
      turn = performance.now();
    }
    return news;
  }

  /** Null for a log that cannot be read: whoever asks for it is told so, and the others have their news. */
  #positionOf(log: string): number | null {
    try {
      return this.#store.log(log).position;
    } catch {
      return null;
    }
  }

  #register(watched: readonly Watched[], wake: () => void): void {
    this.#all.add(wake);
    for (const { log } of watched) {
      const wakes = this.#byLog.get(log);
      if (wakes === undefined) this.#byLog.set(log, new Set([wake]));
      else wakes.add(wake);
    }
  }

  #unregister(watched: readonly Watched[], wake: () => void): void {
    this.#all.delete(wake);
    for (const { log } of watched) {
      const wakes = this.#byLog.get(log);
      if (wakes?.delete(wake) === true && wakes.size === 0) this.#byLog.delete(log);
    }
  }
}
