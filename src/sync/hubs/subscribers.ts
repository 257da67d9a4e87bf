import type { Unsubscribe } from '../hub.ts';

type OnNews = () => void;

/** Who wants to hear of which log. Keys are the adapter's. */
export class Subscribers {
  readonly #byLog = new Map<string, Set<OnNews>>();
  readonly #changed: (key: string, subscribed: boolean) => void;

  /** @param changed called when a log gets its first subscriber or loses its last */
  constructor(changed: (key: string, subscribed: boolean) => void) {
    this.#changed = changed;
  }

  get size(): number {
    return this.#byLog.size;
  }

  keys(): string[] {
    return [...this.#byLog.keys()];
  }

  add(key: string, onNews: OnNews): Unsubscribe {
    // Its own, so that one function may subscribe twice.
    const subscriber = () => onNews();
    const others = this.#byLog.get(key);
    if (others === undefined) {
      this.#byLog.set(key, new Set([subscriber]));
      this.#changed(key, true);
    } else {
      others.add(subscriber);
    }
    return () => this.#remove(key, subscriber);
  }

  wake(key: string): void {
    for (const onNews of [...(this.#byLog.get(key) ?? [])]) onNews();
  }

  /** For when news may have been missed. */
  wakeAll(): void {
    for (const key of this.keys()) this.wake(key);
  }

  clear(): void {
    for (const key of this.keys()) {
      this.#byLog.delete(key);
      this.#changed(key, false);
    }
  }

  #remove(key: string, subscriber: OnNews): void {
    const subscribers = this.#byLog.get(key);
    if (subscribers?.delete(subscriber) !== true || subscribers.size > 0) return;
    this.#byLog.delete(key);
    this.#changed(key, false);
  }
}
