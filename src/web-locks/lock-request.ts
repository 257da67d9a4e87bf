import type { HeldWebLock, PendingWebLock, WebLockTable } from '../disk/locks/lock-table.ts';
import { HoldfastError, type HoldfastErrorCode } from '../runtime/holdfast-error.ts';
import { isOutOfReach } from '../runtime/out-of-reach.ts';
import { uptime } from '../runtime/timers.ts';
import { domException, type DOMExceptionName } from '../webidl/dom-exception.ts';
import { internal } from '../webidl/interface.ts';
import { onAbort } from './abort-watch.ts';
import { Lock, type LockMode } from './lock.ts';
import { runLockTask } from './lock-tasks.ts';
import type { LockWitness } from './lock-witness.ts';

/** https://w3c.github.io/web-locks/#callbackdef-lockgrantedcallback */
export type LockGrantedCallback<T> = (lock: Lock | null) => T | PromiseLike<T>;

/** https://w3c.github.io/web-locks/#dictdef-lockoptions */
export interface LockOptions {
  ifAvailable?: boolean | undefined;
  mode?: LockMode | undefined;
  signal?: AbortSignal | undefined;
  steal?: boolean | undefined;
}

/** A request whose arguments were found valid. */
export interface LockRequestInit {
  readonly name: string;
  readonly mode: LockMode;
  readonly ifAvailable: boolean;
  readonly steal: boolean;
  readonly signal: AbortSignal | undefined;
  readonly callback: (lock: Lock | null) => unknown;
}

/** Whose request it is. */
export interface Requester {
  readonly clientId: string;
  /** Whether its requests are unwanted; each is told by and by. */
  readonly hasEnded: boolean;
  /** Asked for once the table is there. */
  readonly witness: LockWitness | undefined;
  /** The promise of a request is about to be settled. */
  settled(request: LockRequest): void;
}

/**
 * One request for a lock, from its place in the queue to the end of the lock. Invariants:
 * - `promise` is settled exactly once; what comes later (a callback that ends after its lock was stolen) is ignored;
 * - a lock that was granted is released exactly once, also when nobody wants it any more;
 * - the callback runs at most once, and never after the request was aborted or ended;
 * - whatever writes to the journal or runs a callback is a lock task, so that all of them keep the order of their causes.
 *
 * https://w3c.github.io/web-locks/#lock-requests
 */
export class LockRequest {
  readonly promise: Promise<unknown>;
  readonly #init: LockRequestInit;
  readonly #requester: Requester;
  #resolve: (value: unknown) => void = () => {};
  #reject: (reason: unknown) => void = () => {};
  #begin: () => void = () => {};
  #pending: PendingWebLock | null = null;
  #held: HeldWebLock | null = null;
  #settled = false;
  #witness: LockWitness | undefined;
  /** As the witness knows it. */
  #stage: 'unknown' | 'waiting' | 'held' = 'unknown';
  /** When that began. */
  #since = 0;
  /** It was aborted; the task that rejects the promise may not have run yet. */
  #unwanted = false;
  #ignoreSignal: (() => void) | null = null;

  /** To be made in the asynchronous context of the caller: the callback runs in it. */
  constructor(init: LockRequestInit, requester: Requester) {
    this.#init = init;
    this.#requester = requester;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // What reacts to a promise runs in the context in which it was given, whoever resolves that.
    const turn = new Promise<void>((resolve) => (this.#begin = resolve));
    void turn.then(() => this.#begun());
    if (init.signal !== undefined) this.#ignoreSignal = onAbort(init.signal, () => this.abort(init.signal?.reason));
  }

  /** https://w3c.github.io/web-locks/#request-a-lock */
  start(table: WebLockTable): void {
    runLockTask(() => this.#request(table));
  }

  #request(table: WebLockTable): void {
    if (this.#isOver) return;
    const { name, mode, ifAvailable, steal } = this.#init;
    const { clientId } = this.#requester;
    try {
      this.#pending = table.request({ name, mode, ifAvailable, steal, clientId });
    } catch (error) {
      this.fail(asWebError(error, `request the lock '${name}'`));
      return;
    }
    this.#witness = this.#requester.witness;
    this.#enter('waiting');
    this.#witness?.requested();
    this.#pending.granted.then(
      (held) => this.#granted(held),
      (error: unknown) => this.fail(asWebError(error, `request the lock '${name}'`)),
    );
  }

  /** Rejects the promise, unless it was settled before, and gives up the lock or the place in the queue. */
  fail(reason: unknown): void {
    if (!this.#settle()) return;
    this.#reject(reason);
    this.#giveUp();
  }

  #granted(held: HeldWebLock | null): void {
    this.#held = held;
    if (held !== null) held.onLost = () => runLockTask(() => this.fail(stolen(this.#init.name)));
    runLockTask(this.#begin);
  }

  /** https://w3c.github.io/web-locks/#algorithm-process-a-lock-request-queue, for one request that was granted */
  #begun(): void {
    const held = this.#held;
    // The journal had granted it before it could be withdrawn.
    if (this.#isOver) return held?.release();
    this.#ignoreSignal?.();
    if (held === null) return this.#refused();
    this.#witness?.granted(this.#init, this.#elapsed);
    this.#enter('held');
    this.#run(new Lock(internal, this.#init.name, this.#init.mode));
  }

  get #isOver(): boolean {
    return this.#settled || this.#unwanted || this.#requester.hasEnded;
  }

  #refused(): void {
    this.#witness?.refused(this.#init);
    this.#enter('unknown');
    this.#run(null);
  }

  #enter(stage: 'unknown' | 'waiting' | 'held'): void {
    this.#stage = stage;
    this.#since = uptime();
  }

  get #elapsed(): number {
    return uptime() - this.#since;
  }

  /** Runs the callback; what it promises keeps the lock. https://w3c.github.io/web-locks/#lock-waiting-promise */
  #run(lock: Lock | null): void {
    const { callback } = this.#init;
    const waiting = new Promise((resolve) => resolve(callback(lock)));
    waiting.then(
      (value) => runLockTask(() => this.#end(() => this.#resolve(value))),
      (error: unknown) => runLockTask(() => this.#end(() => this.#reject(error))),
    );
  }

  /** The lock is free before anybody hears that the request is over. */
  #end(settle: () => void): void {
    if (!this.#settle()) return;
    try {
      this.#held?.release();
      settle();
    } catch (error) {
      this.#reject(asWebError(error, `release the lock '${this.#init.name}'`));
    }
  }

  /** https://w3c.github.io/web-locks/#signal-to-abort-the-request */
  abort(reason: unknown): void {
    this.#unwanted = true;
    runLockTask(() => this.fail(reason));
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    if (this.#stage === 'held') this.#witness?.released(this.#init, this.#elapsed);
    else if (this.#stage === 'waiting') this.#witness?.withdrawn(this.#init, this.#elapsed);
    this.#ignoreSignal?.();
    this.#requester.settled(this);
    return true;
  }

  #giveUp(): void {
    try {
      if (this.#held !== null) this.#held.release();
      else this.#pending?.abort();
    } catch {
      // The promise is rejected already; the table releases what it could not release now as soon as it can.
    }
  }
}

/** https://w3c.github.io/web-locks/#request-a-lock: the holder learns of a steal by an AbortError. */
function stolen(name: string): DOMException {
  return domException('AbortError', `The lock '${name}' was taken away: another request stole it, this realm was declared dead, or the bucket was removed or replaced.`);
}

/**
 * What the disk or the host says, as a caller of the web's interface may see it. Storage that cannot be had is a
 * SecurityError: https://w3c.github.io/web-locks/#dom-lockmanager-request, where no lock manager can be obtained.
 */
export function asWebError(error: unknown, doing: string): unknown {
  if (!(error instanceof HoldfastError)) return error;
  return domException(nameFor(error.code), `Failed to ${doing}: ${error.message}`, error);
}

function nameFor(code: HoldfastErrorCode): DOMExceptionName {
  if (code === 'closed' || code === 'bucket-deleted') return 'InvalidStateError';
  if (code === 'session-lost') return 'AbortError';
  return isOutOfReach(code) ? 'SecurityError' : 'UnknownError';
}
