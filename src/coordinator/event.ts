import type { Fate } from '../disk/coordinator/owned-records.ts';
import { randomUuid } from '../runtime/random.ts';
import type { Call } from './call.ts';
import type { Reply } from './messages.ts';
import type { Link } from './context.ts';
import { CoordinatorError, shown } from './errors.ts';
import type { Waiting } from './gate.ts';
import { tooLarge } from './served.ts';
import { callName } from './state.ts';
import type { CoordinatorKey } from './store.ts';
import type { Output, Writer } from './turn.ts';

/** Whoever waits for the end of a call: one of the two is called, once. */
export interface Waiter {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

/** The instance whose event it is. */
export interface EventOwner {
  readonly id: string;
  readonly key: CoordinatorKey;
  /** Its turn has come. */
  begin(event: Event): void;
  /** What it came to leaves, or never will. */
  left(event: Event): void;
}

/** A call, or an alarm, that waits or runs. */
export class Event implements Writer, Output, Waiting {
  readonly call: Call | null;
  readonly queuedAt: number;
  begun = false;
  /** Whether its code has begun to run. */
  isRunning = false;
  fate: Fate | null = null;
  /** What leaves when it has ended; null: that would be too large. An error: it was refused. */
  reply: Reply | CoordinatorError | null = null;
  behind: (Waiting & Output) | null = null;
  readonly #owner: EventOwner;
  readonly #waiter: Waiter;
  /** The others that wait for it. */
  #waiters: Waiter[] | null = null;
  #id: string | undefined;

  constructor(owner: EventOwner, call: Call | null, waiter: Waiter, now: number) {
    this.#owner = owner;
    this.call = call;
    this.#waiter = waiter;
    this.queuedAt = now;
  }

  /** Unique among all processes. */
  get id(): string {
    return (this.#id ??= this.call === null ? randomUuid() : callName(this.call));
  }

  /** The calls that led here, and this one. */
  get chain(): readonly Link[] {
    const link = { id: this.#owner.id, shown: shown(this.#owner.key), event: this.id };
    return this.call === null ? [link] : [...this.call.chain, link];
  }

  begin(): void {
    this.#owner.begin(this);
  }

  /** Somebody else waits for it too. */
  join(waiter: Waiter): void {
    (this.#waiters ??= []).push(waiter);
  }

  /** Resolves when it has ended, however that was. */
  ended(): Promise<void> {
    return new Promise((resolve) => this.join({ resolve: () => resolve(), reject: () => resolve() }));
  }

  release(): void {
    this.#owner.left(this);
    const { reply } = this;
    if (reply === null) this.reject(tooLarge(this.#owner.key));
    else if (reply instanceof CoordinatorError) this.reject(reply);
    else this.#resolve(reply);
  }

  refuse(): void {
    this.#owner.left(this);
  }

  #resolve(reply: Reply): void {
    this.#waiter.resolve(reply);
    if (this.#waiters !== null) for (const waiter of this.#waiters) waiter.resolve(reply);
  }

  reject(error: unknown): void {
    this.#waiter.reject(error);
    if (this.#waiters !== null) for (const waiter of this.#waiters) waiter.reject(error);
  }
}
