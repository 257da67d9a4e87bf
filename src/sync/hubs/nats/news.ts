import type { Subscription } from '@nats-io/transport-node';
import { type Timer, clearTimeout, setTimeout } from '../../../runtime/timers.ts';
import type { Unsubscribe } from '../../hub.ts';
import { Subscribers } from '../subscribers.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import { newsSubject } from './stream.ts';

/** Milliseconds to wait before connecting again, at first and at most. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 10_000;

/**
 * Tells subscribers of what the server repeats of appends. While there are subscribers it connects anew when the
 * connection was lost; it keeps no process alive.
 */
export class News {
  readonly #prefix: string;
  readonly #sessions: () => Sessions;
  readonly #subscribers = new Subscribers((key, subscribed) => this.#adapt(key, subscribed));
  readonly #subscriptions = new Map<string, Subscription>();
  #session: Session | null = null;
  #retry: Timer | null = null;

  constructor(prefix: string, sessions: () => Sessions) {
    this.#prefix = prefix;
    this.#sessions = sessions;
  }

  subscribe(key: string, onNews: () => void): Unsubscribe {
    if (this.#sessions().lifetime.ended) return () => undefined;
    return this.#subscribers.add(key, onNews);
  }

  /** Goes on over a new connection. */
  attach(session: Session): void {
    this.#session = session;
    this.#subscriptions.clear();
    for (const key of this.#subscribers.keys()) this.#listen(key);
    void session.connection.closed().then(() => this.#detach(session));
    // What was appended while nothing listened was never told. The answer comes after the server has subscribed.
    session.connection.flush().then(
      () => this.#subscribers.wakeAll(),
      () => undefined,
    );
  }

  close(): void {
    this.#subscribers.clear();
    this.#stopRetrying();
  }

  #detach(session: Session): void {
    if (this.#session !== session) return;
    this.#session = null;
    this.#subscriptions.clear();
    this.#connect(FIRST_WAIT);
  }

  #adapt(key: string, subscribed: boolean): void {
    if (subscribed && this.#session !== null) this.#listen(key);
    else if (subscribed) this.#connect(FIRST_WAIT);
    else this.#forget(key);
    if (this.#subscribers.size === 0) this.#stopRetrying();
  }

  #listen(key: string): void {
    const callback = () => this.#subscribers.wake(key);
    const subscription = this.#session?.connection.subscribe(newsSubject(this.#prefix, key, '*'), { callback });
    if (subscription !== undefined) this.#subscriptions.set(key, subscription);
  }

  #forget(key: string): void {
    const subscription = this.#subscriptions.get(key);
    this.#subscriptions.delete(key);
    if (this.#session?.connection.isClosed() === false) subscription?.unsubscribe();
  }

  /** Connects, now or later, unless it is about to; attach() hears of it. */
  #connect(wait: number): void {
    if (this.#subscribers.size === 0 || this.#retry !== null || this.#sessions().lifetime.ended) return;
    // At random, so that not all come at once when the server is back.
    const later = () => {
      this.#retry = null;
      this.#sessions().current().catch(() => this.#connect(Math.min(wait * 2, LONGEST_WAIT)));
    };
    this.#retry = setTimeout(later, wait * (0.5 + Math.random())).unref();
  }

  #stopRetrying(): void {
    if (this.#retry !== null) clearTimeout(this.#retry);
    this.#retry = null;
  }
}
