import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import { clearInterval, setInterval } from '../../runtime/timers.ts';

/** What nothing tells of is looked at so often, in milliseconds; and who waits is alive. */
const LOOK_MS = 1000;

interface Waiter {
  resolve(): void;
  reject(reason: unknown): void;
}

interface TicketWaiter extends Waiter {
  readonly ticket: number;
}

interface StateWaiter extends Waiter {
  readonly isReached: (replica: Replica) => boolean;
}

/**
 * All who wait for one journal, with one watch and one timer together: it costs a look for each piece of news, however
 * much is pending. Keeps the process alive while anybody waits.
 *
 * Tickets are given out in order, so those who wait for one are looked at from the first on, up to the first whose turn
 * has not come.
 */
export class Waiting {
  readonly #journal: ReplicaJournal;
  readonly #refusal: () => Error | null;
  readonly #tickets = new Set<TicketWaiter>();
  readonly #states = new Set<StateWaiter>();
  #end: (() => void) | null = null;

  /** `refusal`: why nobody need wait, for as long as that is so. */
  constructor(journal: ReplicaJournal, refusal: () => Error | null) {
    this.#journal = journal;
    this.#refusal = refusal;
  }

  /**
   * (10) Resolves when what had this ticket, and all that was pending before it, is pending no more.
   *
   * @throws the refusal; the signal's reason; what reading the journal throws
   */
  passed(ticket: number, signal?: AbortSignal): Promise<void> {
    return this.#wait(signal, (waiter) => this.#add(this.#tickets, { ...waiter, ticket }));
  }

  /** Resolves when the replica is as `isReached` asks. @throws as `passed` */
  reached(isReached: (replica: Replica) => boolean, signal?: AbortSignal): Promise<void> {
    return this.#wait(signal, (waiter) => this.#add(this.#states, { ...waiter, isReached }));
  }

  /** Waits for what keeps no process alive by itself. @throws as `passed`; what the promise rejects with */
  async awake<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#wait(signal, (waiter) => {
      promise.then(waiter.resolve, waiter.reject);
      return this.#add(this.#states, { ...waiter, isReached: () => false });
    });
    return promise;
  }

  #wait(signal: AbortSignal | undefined, register: (waiter: Waiter) => () => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted === true) return reject(signal.reason as Error);
      const settle = (finish: () => void): void => {
        signal?.removeEventListener('abort', abort);
        forget();
        finish();
      };
      const abort = (): void => settle(() => reject(signal?.reason as Error));
      signal?.addEventListener('abort', abort);
      const forget = register({
        resolve: () => settle(resolve),
        reject: (reason) => settle(() => reject(reason as Error)),
      });
      this.#look();
    });
  }

  #add<W extends Waiter>(waiters: Set<W>, waiter: W): () => void {
    waiters.add(waiter);
    this.#end ??= this.#begin();
    return () => {
      waiters.delete(waiter);
      this.#rest();
    };
  }

  #begin(): () => void {
    const look = (): void => this.#look();
    const timer = setInterval(look, LOOK_MS);
    const unwatch = this.#journal.watch(look);
    return () => {
      clearInterval(timer);
      unwatch();
    };
  }

  #rest(): void {
    if (this.#tickets.size + this.#states.size > 0) return;
    this.#end?.();
    this.#end = null;
  }

  #look(): void {
    try {
      this.#settle(this.#journal.current());
      const refusal = this.#refusal();
      if (refusal !== null) this.#rejectAll(refusal);
    } catch (error) {
      this.#rejectAll(error);
    }
  }

  #settle(replica: Replica): void {
    for (const waiter of this.#tickets) {
      if (!replica.hasPassed(waiter.ticket)) break;
      waiter.resolve();
    }
    for (const waiter of this.#states) if (waiter.isReached(replica)) waiter.resolve();
  }

  #rejectAll(reason: unknown): void {
    for (const waiter of [...this.#tickets, ...this.#states]) waiter.reject(reason);
  }
}
