import { clearTimeout, setTimeout } from '../../../../runtime/timers.ts';
import type { Watched } from '../operations.ts';
import type { HubStore } from './hub-store.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import type { StoredLog } from './stored-log.ts';
import { Turns } from './turns.ts';

/** How long a request to wait is held when there are no news, in milliseconds. */
const HOLD_MS = 25_000;

/** Names that all who wait may wait for together; each takes some hundred bytes. */
const MOST_NAMES = 2 ** 20;

type News = readonly (readonly [index: number, position: number])[];

/** The requests that wait for something to be appended. */
export class Waiters {
  readonly #store: HubStore;
  readonly #byLog = new Map<string, Set<() => void>>();
  readonly #all = new Set<() => void>();
  #names = 0;
  #closed = false;

  constructor(store: HubStore) {
    this.#store = store;
  }

  /** How many wait now, and for how many logs. */
  get counts(): { readonly requests: number; readonly names: number } {
    return { requests: this.#all.size, names: this.#names };
  }

  wake(log: StoredLog): void {
    for (const wake of this.#byLog.get(log.name) ?? []) wake();
  }

  /** Answers all that wait, and from now on at once. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#all) wake();
  }

  /**
   * Resolves to what is elsewhere than known: at once, as soon as there is something, or to nothing after a while.
   *
   * @throws HoldfastError `hub-unreachable` when others wait for too much already
   */
  async wait(watched: readonly Watched[], signal: AbortSignal): Promise<News> {
    if (this.#names + watched.length > MOST_NAMES) throw new HoldfastError('hub-unreachable', 'The hub is asked for news of more logs than it can hold; try again later.');
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
    const turns = new Turns();
    for (const [index, { log, position: known }] of watched.entries()) {
      const position = this.#positionOf(log);
      if (position !== null && position !== known) news.push([index, position]);
      await turns.next();
    }
    return news;
  }

  /** Null for a log that cannot be read: whoever asks for it is told so, and the others have their news. */
  #positionOf(log: string): number | null {
    try {
      return this.#store.find(log)?.position ?? 0;
    } catch {
      return null;
    }
  }

  #register(watched: readonly Watched[], wake: () => void): void {
    this.#all.add(wake);
    this.#names += watched.length;
    for (const { log } of watched) {
      const wakes = this.#byLog.get(log);
      if (wakes === undefined) this.#byLog.set(log, new Set([wake]));
      else wakes.add(wake);
    }
  }

  #unregister(watched: readonly Watched[], wake: () => void): void {
    this.#all.delete(wake);
    this.#names -= watched.length;
    for (const { log } of watched) {
      const wakes = this.#byLog.get(log);
      if (wakes?.delete(wake) === true && wakes.size === 0) this.#byLog.delete(log);
    }
  }
}
