import type { CallId, Fate } from '../disk/coordinator/owned-records.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { randomInteger } from '../runtime/random.ts';
import { setImmediate, setTimeout, uptime } from '../runtime/timers.ts';
import type { Call } from './call.ts';
import type { Link } from './context.ts';
import { CoordinatorError, MovedError, shown } from './errors.ts';
import type { Outcome } from './errors.ts';
import type { Waiter } from './event.ts';
import { replyOfFate } from './fate.ts';
import type { Reply } from './messages.ts';
import { PendingCall, type CallSender } from './pending-call.ts';
import type { CoordinatorKey } from './store.ts';

/** Whoever runs a coordinator now, here or in another process. */
export interface Route {
  /** Tells what becomes of it: a MovedError where it has to be asked elsewhere. */
  call(key: CoordinatorKey, call: Call, waiter: Waiter): void;
  /** Whether it is in another region. */
  readonly isFar?: boolean;
}

/** The same for whoever awaits it. @throws (rejects) as `call` of the route */
export function callBy(route: Pick<Route, 'call'>, key: CoordinatorKey, call: Call): Promise<Reply> {
  return new Promise((resolve, reject) => route.call(key, call, { resolve, reject }));
}

/** What all lines of a realm have in common. */
export interface Routes {
  /** Finds whoever runs a coordinator, or has it run. Null: nobody serves its class. */
  find(key: CoordinatorKey): Promise<Route | null>;
  /**
   * What became of a call that is not sent again, for good: null: it has changed nothing, and never will.
   *
   * @throws where nobody can say
   */
  giveUp(key: CoordinatorKey, call: CallId): Promise<Fate | 'got' | null>;
}

/** How long a call looks for somebody who runs it, in milliseconds of a clock that never jumps. */
const PATIENCE_MS = 10_000;

/** Bytes: more than that nobody could send. */
const LARGEST_ARGUMENTS = 2 ** 25;

/** Processes that end while they have it: it may be what ends them. */
const LOSSES = 5;

/** Milliseconds before the second attempt; doubled each time. */
const FIRST_PAUSE_MS = 5;
const LAST_PAUSE_MS = 500;

/** Of lines with nothing to send: nothing is put into it. */
const NOTHING: PendingCall[] = [];

/**
 * All calls that this realm makes of one coordinator. It keeps these invariants:
 *
 * - (rule 8) calls are sent in the order in which they were made, also those that have to be sent again;
 * - a call has one number, however often it is sent, so that whoever runs the coordinator knows it again;
 * - what is told to have been got has been;
 * - a call that has been sent and is not sent again ends with what the journal says of it, and nobody runs it after that.
 */
export class Line implements CallSender {
  readonly key: CoordinatorKey;
  readonly #routes: Routes;
  readonly #patience: number;
  readonly #caller = randomInteger();
  #number = 0;
  /** Up to which call all have ended. */
  #got = 0;
  /** The first that has not ended; each leads to the next, in the order of their numbers. */
  #first: PendingCall | null = null;
  #last: PendingCall | null = null;
  /** Those that are to be sent. */
  #unsent = NOTHING;
  #route: Route | null = null;
  #isBusy = false;
  #pause = 0;
  /** Who waits until no call up to a number is left. */
  #waiting: readonly { readonly number: number; readonly resolve: () => void }[] = [];

  constructor(key: CoordinatorKey, routes: Routes, patience = PATIENCE_MS) {
    this.key = key;
    this.#patience = patience;
    this.#routes = routes;
  }

  get isIdle(): boolean {
    return this.#first === null;
  }

  /** What `read` makes of the reply. @throws (rejects) CoordinatorError; what `read` throws */
  call<Result>(method: string, args: Uint8Array, chain: readonly Link[], read: (reply: Reply) => Result): Promise<Result> {
    if (args.length > LARGEST_ARGUMENTS) return Promise.reject(this.#tooLarge(args));
    return new Promise((resolve, reject) => {
      const number = (this.#number += 1);
      // One promise for each call: another behind it would cost as much again.
      const end = (reply: Reply): void => {
        try {
          resolve(read(reply));
        } catch (error) {
          reject(error as Error);
        }
      };
      const pending = new PendingCall(this, { caller: this.#caller, number, method, args, chain }, uptime(), end, reject);
      if (this.#last === null) this.#first = pending;
      else this.#last.next = pending;
      this.#last = pending;
      if (this.#unsent.length === 0 && !this.#isBusy && this.#route !== null) return this.#send(this.#route, pending);
      this.#wait(pending);
      this.#go();
    });
  }

  #tooLarge({ length }: Uint8Array): CoordinatorError {
    return new CoordinatorError('record-too-large', `The arguments of a call of ${shown(this.key)} may take ${LARGEST_ARGUMENTS} bytes, not ${length}.`, { outcome: 'not-run', retryable: false });
  }

  #wait(pending: PendingCall): void {
    if (this.#unsent === NOTHING) this.#unsent = [];
    this.#unsent.push(pending);
  }

  #go(): void {
    if (this.#isBusy) return;
    const route = this.#route;
    if (route === null) return void this.#search();
    const unsent = this.#unsent;
    this.#unsent = NOTHING;
    for (const pending of unsent) this.#send(route, pending);
  }

  async #search(): Promise<void> {
    this.#isBusy = true;
    try {
      if (this.#pause > 0) await new Promise((resolve) => void setTimeout(resolve, this.#pause));
      this.#route = await this.#routes.find(this.key);
      if (this.#route === null) this.#lose(null);
    } catch (error) {
      this.#lose(error);
    } finally {
      this.#isBusy = false;
    }
    if (this.#unsent.length > 0) this.#go();
  }

  /** Nobody was found: those that have waited for long are told. */
  #lose(cause: unknown): void {
    this.#longerPause();
    const isHopeless = cause !== null && !(cause instanceof MovedError);
    const now = uptime();
    this.#unsent = this.#unsent.filter((pending) => {
      if (!isHopeless && now - pending.since < this.#patience) return true;
      this.#fail(pending, cause);
      return false;
    });
  }

  #longerPause(): void {
    this.#pause = Math.min(LAST_PAUSE_MS, Math.max(FIRST_PAUSE_MS, 2 * this.#pause));
  }

  #fail(pending: PendingCall, cause: unknown): void {
    if (pending.attempts > 0) return void this.#bury(pending, cause);
    this.#forget(pending);
    pending.fail(this.#failure(cause, 'not-run'));
  }

  async #bury(pending: PendingCall, cause: unknown): Promise<void> {
    const reply = await this.#lastReply(pending, cause).catch((error: unknown) => {
      pending.fail(error);
      return null;
    });
    this.#forget(pending);
    if (reply !== null) pending.end(reply);
  }

  async #lastReply({ call, losses }: PendingCall, cause: unknown): Promise<Reply> {
    const fate = await this.#routes.giveUp(this.key, call).catch((error: unknown) => {
      throw this.#failure(cause ?? error, 'unknown');
    });
    if (fate !== null) return replyOfFate(this.key, fate);
    throw losses < LOSSES ? this.#failure(cause, 'not-run') : this.#deadly(cause);
  }

  /** Nobody would be well advised to try it again. */
  #deadly(cause: unknown): CoordinatorError {
    return new CoordinatorError('coordinator-unavailable', `${LOSSES} processes one after another have ended, or hung, while they had this call of ${shown(this.key)}.`, { outcome: 'not-run', retryable: false, cause });
  }

  #failure(cause: unknown, outcome: Outcome): CoordinatorError {
    if (cause instanceof CoordinatorError && cause.outcome === outcome) return cause;
    const [code, why] = cause instanceof HoldfastError ? [cause.code, `: ${cause.message}`] : ['coordinator-unavailable' as const, '.'];
    return new CoordinatorError(code, `Nobody can be reached who runs ${shown(this.key)}${why}`, { outcome, cause });
  }

  #send(route: Route, pending: PendingCall): void {
    pending.attempts += 1;
    pending.route = route;
    const { caller, number, method, args, chain } = pending.call;
    route.call(this.key, { caller, number, got: this.#got, isAgain: pending.attempts > 1, method, args, chain }, pending);
  }

  /** It has ended. */
  #forget(pending: PendingCall): void {
    pending.hasEnded = true;
    while (this.#first?.hasEnded === true) {
      this.#got = this.#first.call.number;
      this.#first = this.#first.next;
    }
    if (this.#first === null) this.#last = null;
    if (this.#waiting.length > 0) this.#tellEnded();
  }

  /** Resolves when all calls that were made until now have ended. */
  ended(): Promise<void> {
    if (this.#first === null) return Promise.resolve();
    return new Promise((resolve) => void (this.#waiting = [...this.#waiting, { number: this.#number, resolve }]));
  }

  #tellEnded(): void {
    const ended = this.#waiting.filter(({ number }) => number <= this.#got);
    this.#waiting = this.#waiting.filter(({ number }) => number > this.#got);
    for (const { resolve } of ended) resolve();
  }

  answered(pending: PendingCall, reply: Reply): void {
    this.#pause = 0;
    this.#forget(pending);
    pending.end(reply);
  }

  failed(pending: PendingCall, error: unknown): void {
    if (!(error instanceof MovedError)) {
      // What was given up, or could not begin, is not asked again.
      if (this.#route === pending.route && error instanceof CoordinatorError && error.code === 'coordinator-reset') this.#route = null;
      // It speaks of this attempt only: whoever was lost with an earlier one may still be about to run it.
      if (pending.losses > 0 && error instanceof CoordinatorError && error.outcome === 'not-run') return void this.#bury(pending, error);
      this.#forget(pending);
      return pending.fail(error);
    }
    if (error.isLost) pending.losses += 1;
    if (pending.losses >= LOSSES || uptime() - pending.since >= this.#patience) return this.#fail(pending, error);
    if (this.#route === pending.route) {
      this.#route = null;
      if (pending.attempts > 1) this.#longerPause();
    }
    this.#wait(pending);
    this.#unsent.sort((a, b) => a.call.number - b.call.number);
    // All that were under way there are told in this task.
    setImmediate(() => this.#go());
  }
}
