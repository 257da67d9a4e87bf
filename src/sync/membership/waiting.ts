import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import { clearInterval, setImmediate, setInterval } from '../../runtime/timers.ts';

/** What nothing tells of is looked at so often, in milliseconds; and who waits is alive. */
const LOOK_MS = 1000;

/** Waits that end in one turn of the event loop; each is followed by what its caller does then. */
export const MOST_A_TURN = 250;

interface Waiter {
  resolve(): void;
  reject(reason: unknown): void;
}

interface TicketWaiter extends Waiter {
  readonly ticket: number;
}

/** All who wait for the same. */
interface Group {
  readonly waiters: Set<Waiter>;
  /** How it ends; null while it has not. */
  outcome(replica: Replica): ((waiter: Waiter) => void) | null;
}

const resolved = (waiter: Waiter): void => waiter.resolve();

/**
 * All who wait for one journal, with one watch and one timer together: a piece of news costs a look for each different
 * thing that is waited for, however much is pending and however many wait for it. Keeps the process alive while anybody
 * waits. It keeps these invariants:
 *
 * - tickets are given out in order, so those who wait for one are looked at from the first on, up to the first whose
 *   turn has not come;
 * - in one turn no more than `MOST_A_TURN` waits end; the others end in the turns after it, in order.
 */
export class Waiting {
  readonly #journal: ReplicaJournal;
  readonly #refusal: () => Error | null;
  readonly #tickets = new Set<TicketWaiter>();
  /** By what tells their members that they wait for the same. */
  readonly #groups = new Map<object, Group>();
  #end: (() => void) | null = null;
  /** Waits that may still end in this turn. */
  #left = MOST_A_TURN;

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
    return this.#wait(signal, (waiter) => this.#addTicket({ ...waiter, ticket }));
  }

  /**
   * Resolves when the replica is as `isReached` asks. Those who give the same `goal` ask the same.
   *
   * @throws as `passed`
   */
  reached(goal: object, isReached: (replica: Replica) => boolean, signal?: AbortSignal): Promise<void> {
    const create = (): Group => ({ waiters: new Set(), outcome: (replica) => (isReached(replica) ? resolved : null) });
    return this.#wait(signal, (waiter) => this.#join(goal, create, waiter));
  }

  /** Waits for what keeps no process alive by itself. @throws as `passed`; what the promise rejects with */
  async awake<T>(promise: Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#wait(signal, (waiter) => this.#join(promise, () => this.#groupOf(promise), waiter));
    return promise;
  }

  #groupOf(promise: Promise<unknown>): Group {
    let outcome: ReturnType<Group['outcome']> = null;
    const end = (by: (waiter: Waiter) => void): void => {
      outcome = by;
      this.#look();
    };
    promise.then(
      () => end(resolved),
      (reason: unknown) => end((waiter) => waiter.reject(reason)),
    );
    return { waiters: new Set(), outcome: () => outcome };
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

  #addTicket(waiter: TicketWaiter): () => void {
    this.#tickets.add(waiter);
    return this.#attend(() => this.#tickets.delete(waiter));
  }

  #join(goal: object, create: () => Group, waiter: Waiter): () => void {
    let group = this.#groups.get(goal);
    if (group === undefined) this.#groups.set(goal, (group = create()));
    const { waiters } = group;
    waiters.add(waiter);
    return this.#attend(() => {
      waiters.delete(waiter);
      if (waiters.size === 0) this.#groups.delete(goal);
    });
  }

  /** Somebody waits, until what is returned is called. */
  #attend(leave: () => void): () => void {
    this.#end ??= this.#begin();
    return () => {
      leave();
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
    if (this.#tickets.size + this.#groups.size > 0) return;
    this.#end?.();
    this.#end = null;
  }

  #look(): void {
    // The next turn looks anyway.
    if (this.#left === 0) return;
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
      if (!replica.hasPassed(waiter.ticket) || !this.#take()) break;
      waiter.resolve();
    }
    for (const { waiters, outcome } of this.#groups.values()) {
      const end = outcome(replica);
      if (end !== null) this.#endAll(waiters, end);
    }
  }

  #rejectAll(reason: unknown): void {
    const reject = (waiter: Waiter): void => waiter.reject(reason);
    this.#endAll(this.#tickets, reject);
    for (const { waiters } of this.#groups.values()) this.#endAll(waiters, reject);
  }

  #endAll(waiters: Iterable<Waiter>, end: (waiter: Waiter) => void): void {
    for (const waiter of waiters) {
      if (!this.#take()) return;
      end(waiter);
    }
  }

  /** One more wait ends in this turn; false: it has to be in a later one. */
  #take(): boolean {
    if (this.#left === 0) return false;
    if (this.#left === MOST_A_TURN) setImmediate(() => this.#nextTurn());
    this.#left -= 1;
    return true;
  }

  #nextTurn(): void {
    const isDue = this.#left === 0;
    this.#left = MOST_A_TURN;
    if (isDue) this.#look();
  }
}
