import { setImmediate, setTimeout } from '../../../runtime/timers.ts';
import type { Unsubscribe } from '../../hub.ts';
import { Subscribers } from '../subscribers.ts';
import type { Connection } from './connection.ts';

/** How long to wait after a request that failed, in milliseconds: twice as long after each further one, up to the most. */
const FIRST_PAUSE_MS = 50;
const MOST_PAUSE_MS = 5000;

/**
 * Waits at the hub for news of all logs that have subscribers, by one request at a time. Invariants:
 * - nothing here keeps a process alive, and no failure leaves here;
 * - a log's subscribers are called whenever its position is not the one that they were last called for, be it lower.
 */
export class News {
  readonly #connection: Connection;
  readonly #subscribers = new Subscribers((log, subscribed) => this.#changed(log, subscribed));
  /** The position that the subscribers of each log were told of; null before the first time. */
  readonly #told = new Map<string, number | null>();
  #request: AbortController | null = null;
  #running = false;
  #closed = false;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  subscribe(log: string, onNews: () => void): Unsubscribe {
    if (this.#closed) return () => undefined;
    return this.#subscribers.add(log, onNews);
  }

  close(): void {
    this.#closed = true;
    this.#subscribers.clear();
    this.#request?.abort();
  }

  #changed(log: string, subscribed: boolean): void {
    if (subscribed) this.#told.set(log, null);
    else this.#told.delete(log);
    if (!subscribed && this.#told.size > 0) return;
    // The request under way does not ask about this log, or has nobody left to ask for.
    this.#request?.abort();
    if (!this.#running) void this.#run();
  }

  async #run(): Promise<void> {
    this.#running = true;
    let failures = 0;
    while (this.#told.size > 0) {
      // Whoever subscribes to many logs does so in one turn.
      await pause(failures === 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), MOST_PAUSE_MS));
      failures = (await this.#ask()) ? 0 : failures + 1;
    }
    this.#running = false;
  }

  /** False when the hub did not answer. */
  async #ask(): Promise<boolean> {
    const request = new AbortController();
    this.#request = request;
    const watched = [...this.#told].map(([log, position]) => ({ log, position }));
    try {
      const news = await this.#connection.call('wait', { watched }, { signal: request.signal, background: true });
      for (const [index, position] of news) this.#tell(watched[index]?.log, position);
      return true;
    } catch {
      return request.signal.aborted;
    } finally {
      this.#request = null;
    }
  }

  #tell(log: string | undefined, position: number): void {
    if (log === undefined || !this.#told.has(log)) return;
    this.#told.set(log, position);
    // What a subscriber throws is its own affair, and not that of those after it.
    setImmediate(() => this.#subscribers.wake(log));
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref();
  });
}
