import type { Socket } from 'node:net';
import { outsideContexts } from '../../runtime/callback-context.ts';
import { clearInterval, clearTimeout, setInterval, setTimeout, type Timer, uptime } from '../../runtime/timers.ts';
import type { Call } from '../call.ts';
import { MovedError } from '../errors.ts';
import type { Waiter } from '../event.ts';
import type { Route } from '../line.ts';
import type { CoordinatorKey } from '../store.ts';
import { Connection } from './connection.ts';
import { callMessage, FAILED, integer, MOVED, PING, readFailed, readReply, REPLY, SERVED, SERVES } from './messages.ts';

export interface PeerOptions {
  /** How long one that has calls of ours may be silent before it counts as hung, in milliseconds. */
  readonly suspectAfter: number;
  /** Called once; `isSuspect`: it has not answered. */
  readonly onEnd: (isSuspect: boolean) => void;
}

/** Looks at a silent peer within the time that it is given. */
const LOOKS = 5;

/**
 * Another process or thread that runs coordinators. It keeps these invariants:
 *
 * - each call ends: by its reply, or as moved, when the connection ends or the peer hangs;
 * - it keeps the process alive while calls are under way, and not longer.
 */
export class Peer implements Route {
  readonly #connection: Connection;
  readonly #waiting = new Map<number, Waiter>();
  readonly #options: PeerOptions;
  #asking: ((isAlive: boolean) => void)[] = [];
  readonly #questions = new Map<number, (serves: boolean) => void>();
  #id = 0;
  #heardAt = uptime();
  #timer: Timer | null = null;
  #isSuspect = false;
  #hasEnded = false;

  constructor(socket: Socket, options: PeerOptions) {
    this.#options = options;
    this.#connection = new Connection(socket, (message) => this.#take(message), () => this.#ended());
    this.#connection.keepAlive(false);
  }

  call(key: CoordinatorKey, call: Call, waiter: Waiter): void {
    if (this.#hasEnded) return waiter.reject(new MovedError());
    if (this.#waiting.size === 0) this.#watch();
    const id = (this.#id += 1);
    this.#waiting.set(id, waiter);
    this.#connection.send(callMessage(id, key, call), call.args);
  }

  /** Whether it answers, within the time of one look. */
  answers(): Promise<boolean> {
    if (this.#hasEnded) return Promise.resolve(false);
    return new Promise((resolve) => {
      const timer = this.#suspectSoon();
      this.#asking.push((isAlive) => {
        clearTimeout(timer);
        resolve(isAlive);
      });
      this.#connection.send([PING]);
    });
  }

  /** Whether a class is served there; not, where there is no answer within the time of one look. */
  serves(className: string): Promise<boolean> {
    if (this.#hasEnded) return Promise.resolve(false);
    return new Promise((resolve) => {
      const id = (this.#id += 1);
      const timer = this.#suspectSoon();
      this.#questions.set(id, (serves) => {
        clearTimeout(timer);
        this.#questions.delete(id);
        resolve(serves);
      });
      this.#connection.send([SERVES, id, className]);
    });
  }

  #suspectSoon(): Timer {
    return outsideContexts(() =>
      setTimeout(() => {
        this.#isSuspect = true;
        this.#connection.end();
      }, this.#options.suspectAfter / LOOKS),
    );
  }

  #tell(isAlive: boolean): void {
    for (const resolve of this.#asking.splice(0)) resolve(isAlive);
  }

  #watch(): void {
    this.#heardAt = uptime();
    this.#connection.keepAlive(true);
    this.#timer ??= outsideContexts(() => setInterval(() => this.#look(), this.#options.suspectAfter / LOOKS)).unref();
  }

  #look(): void {
    if (uptime() - this.#heardAt < this.#options.suspectAfter) return this.#connection.send([PING]);
    this.#isSuspect = true;
    this.#connection.end();
  }

  #take(message: readonly unknown[]): void {
    this.#heardAt = uptime();
    this.#tell(true);
    const [kind, id, answered] = message;
    if (kind === SERVED) return this.#questions.get(integer(id))?.(answered === true);
    if (kind !== REPLY && kind !== MOVED && kind !== FAILED) return;
    const waiting = this.#waiting.get(integer(id));
    if (waiting === undefined) return;
    const answer = kind === REPLY ? readReply(message) : kind === FAILED ? readFailed(message) : new MovedError();
    this.#waiting.delete(integer(id));
    if (this.#waiting.size === 0) this.#rest();
    if ('bytes' in answer) waiting.resolve(answer);
    else waiting.reject(answer);
  }

  #rest(): void {
    this.#connection.keepAlive(false);
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #ended(): void {
    this.#hasEnded = true;
    this.#rest();
    this.#options.onEnd(this.#isSuspect);
    this.#tell(false);
    for (const answer of this.#questions.values()) answer(false);
    for (const waiter of this.#waiting.values()) waiter.reject(new MovedError(true));
    this.#waiting.clear();
  }

  end(): void {
    this.#connection.end();
  }
}
