import { randomUuid } from '../../../runtime/random.ts';
import { clearTimeout, setTimeout, uptime } from '../../../runtime/timers.ts';
import type { Session } from './session.ts';
import { courtesySubject } from './stream.ts';

/*
 * Who appends a message and is refused, since another was faster, has to learn of the other's before it can try again,
 * while the other can go on at once: it would lose again and again, and the farther away the surer. So it asks the
 * others to wait. They do so before their next message, and not amid one, for then all would wait for each other; so
 * whoever asks loses to each of the others about once. All of this is a courtesy: what keeps the order is the server's
 * refusal, whether or not these requests arrive.
 */

/** Milliseconds that a request holds at least and at most, should its end get lost. */
const SHORTEST = 50;
const LONGEST = 5000;

/** Requests that are known of one log, and logs that some are known of; others are not heard, for anybody may send any. */
const MOST_CLIENTS = 100;
const MOST_LOGS = 1000;

/** How many attempts, of the duration of the last one, a request holds for. */
const ATTEMPTS = 4;

/** What is sent: who asks, and for how many milliseconds; 0 ends it. */
interface Message {
  readonly client: string;
  readonly holds: number;
}

/** A client's request that others wait; nothing is sent before the first {@link repeat}. */
export interface Request {
  /** After each attempt that failed. */
  repeat(): void;
  end(): void;
}

/** The requests that are known to one hub. */
export class Courtesy {
  readonly #prefix: string;
  readonly #client = randomUuid();
  /** By log, by client: until when the request holds, on this machine's monotonic clock. */
  readonly #requests = new Map<string, Map<string, number>>();
  readonly #waiting = new Map<string, Set<() => void>>();

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** How many requests are remembered, of all logs. */
  get known(): number {
    return [...this.#requests.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /** Hears requests over a new connection. */
  attach({ connection }: Session): void {
    const subject = courtesySubject(this.#prefix, '*');
    const keyAt = subject.split('.').length - 1;
    connection.subscribe(subject, {
      callback: (error, message) => {
        if (error === null) this.#heard(message.subject.split('.')[keyAt] ?? '', message.string());
      },
    });
  }

  /** Resolves when nobody else asks to go first, or has asked for as long as a request may hold. */
  async waitFor(key: string): Promise<void> {
    const end = uptime() + LONGEST;
    for (let until = this.#latest(key); Math.min(until, end) > uptime(); until = this.#latest(key)) {
      await this.#ended(key, Math.min(until, end) - uptime());
    }
  }

  request({ connection }: Session, key: string): Request {
    let asked = false;
    let began = uptime();
    const send = (holds: number) => {
      const message: Message = { client: this.#client, holds };
      // Nobody is asked over a connection that is lost.
      if (!connection.isClosed()) connection.publish(courtesySubject(this.#prefix, key), JSON.stringify(message));
    };
    return {
      repeat: () => {
        const took = uptime() - began;
        began = uptime();
        asked = true;
        send(Math.min(Math.max(Math.ceil(took * ATTEMPTS), SHORTEST), LONGEST));
      },
      end: () => {
        if (asked) send(0);
      },
    };
  }

  #heard(key: string, text: string): void {
    const { client, holds } = parse(text);
    if (client === this.#client || client === '') return;
    const requests = this.#requests.get(key) ?? new Map<string, number>();
    if (holds > 0 && !this.#hasRoom(key, requests)) return;
    if (holds > 0) requests.set(client, uptime() + Math.min(holds, LONGEST));
    else requests.delete(client);
    if (requests.size > 0) this.#requests.set(key, requests);
    else this.#requests.delete(key);
    for (const wake of [...(this.#waiting.get(key) ?? [])]) wake();
  }

  #hasRoom(key: string, requests: ReadonlyMap<string, number>): boolean {
    if (this.#requests.size >= MOST_LOGS) for (const each of [...this.#requests.keys()]) this.#latest(each);
    return requests.size < MOST_CLIENTS && (this.#requests.has(key) || this.#requests.size < MOST_LOGS);
  }

  /** Until when the last of the requests holds; they are forgotten when none does. */
  #latest(key: string): number {
    const requests = this.#requests.get(key);
    const latest = Math.max(0, ...(requests?.values() ?? []));
    if (latest <= uptime()) this.#requests.delete(key);
    return latest;
  }

  /** Resolves when something was heard of a log, or after some milliseconds. */
  #ended(key: string, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const waiting = this.#waiting.get(key) ?? new Set();
      this.#waiting.set(key, waiting);
      const wake = () => {
        clearTimeout(timer);
        waiting.delete(wake);
        if (waiting.size === 0) this.#waiting.delete(key);
        resolve();
      };
      const timer = setTimeout(wake, milliseconds);
      waiting.add(wake);
    });
  }
}

/** Characters of a client's name, which is a UUID. */
const LONGEST_NAME = 36;

/** Anybody may send anything. */
function parse(text: string): Message {
  try {
    const { client, holds } = JSON.parse(text) as Partial<Record<keyof Message, unknown>>;
    return { client: typeof client === 'string' && client.length <= LONGEST_NAME ? client : '', holds: typeof holds === 'number' ? holds : 0 };
  } catch {
    return { client: '', holds: 0 };
  }
}
