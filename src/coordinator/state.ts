import type { CallId } from '../disk/coordinator/owned-records.ts';

/** What a coordinator is given of itself. */
export interface CoordinatorState<Client> {
  readonly name: string;
  readonly className: string;
  /** The origin's serialization. */
  readonly origin: string;
  /**
   * Its storage, which nobody else reaches: `localStorage` with atomic turns, files, locks, IndexedDB, caches. What comes
   * beyond `localStorage` makes a bucket of its own at its first use.
   */
  readonly storage: Client;
  /** The call that runs; undefined outside of calls. */
  readonly call: { readonly id: string } | undefined;
  /**
   * Has `alarm()` called at that time (milliseconds since 1970, or a Date), at least once. One that was set before is
   * replaced. It is written together with the turn's other changes.
   *
   * @throws TypeError for what is no time; where the class has no `alarm()`
   */
  setAlarm(time: number | Date): void;
  /** When the alarm is to be called, in milliseconds since 1970; null: there is none. */
  getAlarm(): number | null;
  deleteAlarm(): void;
  /** Calls `body`, which must be synchronous: if it throws, nothing that it has written in `localStorage` stays. */
  transaction<Result>(body: () => Result): Result;
  /**
   * While what `body` returns is pending nothing else runs. After 30 seconds the instance is given up.
   *
   * @throws (rejects) what `body` throws
   */
  blockConcurrencyWhile<Result>(body: () => Promise<Result> | Result): Promise<Result>;
  /** What awaits the result goes on alone, as after an operation of the storage. Others may run until it is there. */
  wait<Result>(promise: PromiseLike<Result>): Promise<Result>;
  /** Keeps the instance in memory until the promise has settled. What it rejects with is ignored. */
  waitUntil(promise: PromiseLike<unknown>): void;
  /** As the global `fetch`, but it is sent once the turn is on disk, and what awaits it goes on alone. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Gives the instance up: calls that run fail, and the next one starts from what is on disk. */
  abort(reason?: unknown): void;
}

/** The prototype of the class that all coordinators extend has a property of this name. */
export const coordinatorBase: unique symbol = Symbol('coordinator');

export function callName({ caller, number }: CallId): string {
  return `${caller}-${number}`;
}
