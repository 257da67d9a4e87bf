import type { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { outsideContexts } from '../../runtime/callback-context.ts';
import { clearInterval, setInterval, type Timer, uptime } from '../../runtime/timers.ts';
import type { Call } from '../call.ts';
import { MovedError } from '../errors.ts';
import type { Waiter } from '../event.ts';
import type { Route } from '../line.ts';
import type { CoordinatorKey } from '../store.ts';
import { Connection } from './connection.ts';
import { decodeFrame } from './frames.ts';
import { FAILED, integer, MOVED, PING, readFailed, readReply, REPLY, SERVED, SERVES } from './messages.ts';
import { whenPatienceEnds } from './patience.ts';
import { encodeCall, readPlainReply } from './plain-frames.ts';

export interface PeerOptions {
  /** How long one that has calls of ours may be silent before it counts as hung, in milliseconds. */
  readonly suspectAfter: number;
  /** Called once; `isSuspect`: it has not answered. */
  readonly onEnd: (isSuspect: boolean) => void;
}

/** Looks at a silent peer within the time that it is given. */
export const LOOKS = 5;

/**
 * Another process or thread that runs coordinators. It keeps these invariants:
 *
 * - each call ends: by its reply, or as moved, when the connection ends or the peer hangs;
 * - it keeps the process alive while calls are under way, and not longer; that it looks whether the peer is silent goes on
 *   up to the next look, for most calls take less time than to begin and end that.
 */
export class Peer implements Route {
  readonly #connection: Connection;
  readonly #waiting = new Map<number, Waiter>();
  readonly #options: PeerOptions;
  #asking: ((isAlive: boolean) => void)[] = [];
  readonly #questions = new Map<number, (serves: boolean) => void>();
  #id = 0;
  #heardAt = uptime();
  /** Since it was heard; none passes while this realm stands still, whose silence is not the peer's. */
  #looks = 0;
  #timer: Timer | null = null;
  #isSuspect = false;
  #hasEnded = false;

  constructor(socket: Socket, options: PeerOptions) {
    this.#options = options;
    this.#connection = new Connection(socket, (frame) => this.#take(frame), () => this.#ended());
    this.#connection.onPart = () => this.#hear();
    this.#connection.keepAlive(false);
  }

  call(key: CoordinatorKey, call: Call, waiter: Waiter): void {
    if (this.#hasEnded) return waiter.reject(new MovedError());
    if (this.#waiting.size === 0) this.#watch();
    const id = (this.#id += 1);
    this.#waiting.set(id, waiter);
    this.#connection.sendFrame(encodeCall(id, key, call));
  }

  /** Whether it answers, within the time of one look. */
  answers(): Promise<boolean> {
    if (this.#hasEnded) return Promise.resolve(false);
    return new Promise((resolve) => {
      const forget = this.#suspectSoon();
      this.#asking.push((isAlive) => {
        forget();
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
      const forget = this.#suspectSoon();
      this.#questions.set(id, (serves) => {
        forget();
        this.#questions.delete(id);
        resolve(serves);
      });
      this.#connection.send([SERVES, id, className]);
    });
  }

  #suspectSoon(): () => void {
    return whenPatienceEnds(this.#options.suspectAfter / LOOKS, () => this.#suspect());
  }

  #suspect(): void {
    this.#isSuspect = true;
    this.#connection.end();
  }

  #tell(isAlive: boolean): void {
    for (const resolve of this.#asking.splice(0)) resolve(isAlive);
  }

  #hear(): void {
    this.#heardAt = uptime();
    this.#looks = 0;
  }

  #watch(): void {
    this.#hear();
    this.#connection.keepAlive(true);
    this.#timer ??= outsideContexts(() => setInterval(() => this.#look(), this.#options.suspectAfter / LOOKS)).unref();
  }

  #look(): void {
    if (this.#waiting.size === 0) return this.#stopLooking();
    this.#looks += 1;
    if (this.#looks < LOOKS || uptime() - this.#heardAt < this.#options.suspectAfter) return this.#connection.send([PING]);
    this.#suspect();
  }

  #take(frame: Buffer): void {
    this.#hear();
    if (this.#asking.length > 0) this.#tell(true);
    const plain = readPlainReply(frame);
    if (plain === null) return this.#takeMessage(decodeFrame(frame));
    this.#waiterOf(plain.id)?.resolve(plain.reply);
  }

  #takeMessage(message: readonly unknown[]): void {
    const [kind, id, answered] = message;
    if (kind === SERVED) return this.#questions.get(integer(id))?.(answered === true);
    if (kind !== REPLY && kind !== MOVED && kind !== FAILED) return;
    const answer = kind === REPLY ? readReply(message) : kind === FAILED ? readFailed(message) : new MovedError();
    const waiter = this.#waiterOf(integer(id));
    if ('bytes' in answer) waiter?.resolve(answer);
    else waiter?.reject(answer);
  }

  /** Whoever waits for a call, and does not any more; undefined: nobody does. */
  #waiterOf(id: number): Waiter | undefined {
    const waiter = this.#waiting.get(id);
    if (this.#waiting.delete(id) && this.#waiting.size === 0) this.#connection.keepAlive(false);
    return waiter;
  }

  #stopLooking(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #ended(): void {
    this.#hasEnded = true;
    this.#connection.keepAlive(false);
    this.#stopLooking();
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
