import type { HeldWebLock, PendingWebLock, WebLockTable } from '../disk/locks/lock-table.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { domException } from '../webidl/dom-exception.ts';
import { internal } from '../webidl/interface.ts';
import { Lock, type LockMode } from './lock.ts';
import type { LockWitness } from './lock-witness.ts';

/** https://w3c.github.io/web-locks/#callbackdef-lockgrantedcallback */
export type LockGrantedCallback<T> = (lock: Lock | null) => T | PromiseLike<T>;

/** https://w3c.github.io/web-locks/#dictdef-lockoptions */
export interface LockOptions {
  ifAvailable?: boolean;
  mode?: LockMode;
  signal?: AbortSignal;
  steal?: boolean;
}

/** A request whose arguments were found valid. */
export interface LockRequestInit {
  readonly name: string;
  readonly mode: LockMode;
  readonly ifAvailable: boolean;
  readonly steal: boolean;
  readonly signal: AbortSignal | undefined;
  readonly clientId: string;
  readonly callback: (lock: Lock | null) => unknown;
  readonly witness: (() => LockWitness) | undefined;
}

/**
 * One request for a lock, from its place in the queue to the end of the lock. Invariants:
 * - `promise` is settled exactly once; what comes later (a callback that ends after its lock was stolen) is ignored;
 * - a lock that was granted is released exactly once, also when nobody wants it any more;
 * - the callback runs at most once, and never after the request was aborted or ended.
 *
 * https://w3c.github.io/web-locks/#lock-requests
 */
export class LockRequest {
  readonly promise: Promise<unknown>;
  readonly #init: LockRequestInit;
  #resolve: (value: unknown) => void = () => {};
  #reject: (reason: unknown) => void = () => {};
  #pending: PendingWebLock | null = null;
  #held: HeldWebLock | null = null;
  #settled = false;
  #witness: LockWitness | undefined;
  /** As the witness knows it. */
  #stage: 'unknown' | 'waiting' | 'held' = 'unknown';
  /** When that began. */
  #since = 0;
  readonly #onAbort = (): void => this.#abort();

  constructor(init: LockRequestInit) {
    this.#init = init;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    init.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** https://w3c.github.io/web-locks/#request-a-lock */
  start(table: WebLockTable): void {
    if (this.#settled) return;
    const { name, mode, ifAvailable, steal, clientId } = this.#init;
    try {
      this.#pending = table.request({ name, mode, ifAvailable, steal, clientId });
    } catch (error) {
      this.fail(asWebError(error, `request the lock '${name}'`));
      return;
    }
    this.#witness = this.#init.witness?.();
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

  /** https://w3c.github.io/web-locks/#algorithm-process-a-lock-request-queue, for one request that was granted */
  #granted(held: HeldWebLock | null): void {
    this.#held = held;
    // The journal had granted it before it could be withdrawn.
    if (this.#settled) return held?.release();
    this.#init.signal?.removeEventListener('abort', this.#onAbort);
    if (held === null) return this.#refused();
    this.#witness?.granted(this.#init, this.#elapsed);
    this.#enter('held');
    held.onLost = () => this.fail(stolen(this.#init.name));
    if (!this.#settled) this.#run(new Lock(internal, this.#init.name, this.#init.mode));
  }

  #refused(): void {
    this.#witness?.refused(this.#init);
    this.#enter('unknown');
    this.#run(null);
  }

  #enter(stage: 'unknown' | 'waiting' | 'held'): void {
    this.#stage = stage;
    this.#since = performance.now();
  }

  get #elapsed(): number {
    return performance.now() - this.#since;
  }

  /** Runs the callback; what it promises keeps the lock. https://w3c.github.io/web-locks/#lock-waiting-promise */
  #run(lock: Lock | null): void {
    const { callback } = this.#init;
    const waiting = new Promise((resolve) => resolve(callback(lock)));
    waiting.then(
      (value) => this.#end(() => this.#resolve(value)),
      (error: unknown) => this.#end(() => this.#reject(error)),
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
  #abort(): void {
    this.fail(this.#init.signal?.reason);
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    if (this.#stage === 'held') this.#witness?.released(this.#init, this.#elapsed);
    else if (this.#stage === 'waiting') this.#witness?.withdrawn(this.#init, this.#elapsed);
    this.#init.signal?.removeEventListener('abort', this.#onAbort);
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
  return domException('AbortError', `The lock '${name}' was taken away: another request stole it, or this realm was declared dead.`);
}

/** What the disk or the host says, as a caller of the web's interface may see it. */
export function asWebError(error: unknown, doing: string): unknown {
  if (!(error instanceof HoldfastError)) return error;
  const message = `Failed to ${doing}: ${error.message}`;
  if (error.code === 'closed') return domException('InvalidStateError', message, error);
  return domException(error.code === 'session-lost' ? 'AbortError' : 'UnknownError', message, error);
}
