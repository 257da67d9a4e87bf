import { outsideContexts } from '../../runtime/callback-context.ts';
import { setImmediate } from '../../runtime/timers.ts';

/** Those who want to hear that there is news. They are told once for all of a turn, and must not throw. */
export class News {
  readonly #watchers = new Set<() => void>();
  #due = false;

  get isHeard(): boolean {
    return this.#watchers.size > 0;
  }

  add(onNews: () => void): void {
    this.#watchers.add(onNews);
  }

  delete(onNews: () => void): void {
    this.#watchers.delete(onNews);
  }

  /** There is news: soon everybody is told, on behalf of nobody, not of the client whose write is the news. */
  announce(): void {
    if (this.#due) return;
    this.#due = true;
    outsideContexts(() => setImmediate(() => this.tell()));
  }

  tell(): void {
    this.#due = false;
    for (const onNews of this.#watchers) onNews();
  }
}
