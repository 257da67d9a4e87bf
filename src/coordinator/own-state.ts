import { shown } from './errors.ts';
import type { CoordinatorState } from './state.ts';
import type { CoordinatorKey } from './store.ts';

/** What of a live instance its own code comes to by its state. */
export interface Stateful<Client> {
  readonly key: CoordinatorKey;
  readonly client: Client;
  readonly callNow: { readonly id: string } | undefined;
  readonly alarmTime: number | null;
  setAlarm(given: number | Date | null): void;
  transaction<Result>(body: () => Result): Result;
  blockConcurrencyWhile<Result>(body: () => Promise<Result> | Result): Promise<Result>;
  wait<Result>(promise: PromiseLike<Result>): Promise<Result>;
  waitUntil(promise: PromiseLike<unknown>): void;
  send<Result>(work: () => Promise<Result>): Promise<Result>;
  reset(message: string, cause?: unknown): void;
}

/** `this.state` of a coordinator. There are as many as coordinators in memory: so it is one object, with nothing of its own. */
export class OwnState<Client> implements CoordinatorState<Client> {
  readonly #instance: Stateful<Client>;

  constructor(instance: Stateful<Client>) {
    this.#instance = instance;
    Object.freeze(this);
  }

  get name(): string {
    return this.#instance.key.name;
  }

  get className(): string {
    return this.#instance.key.className;
  }

  get origin(): string {
    return this.#instance.key.origin;
  }

  get storage(): Client {
    return this.#instance.client;
  }

  get call(): { readonly id: string } | undefined {
    return this.#instance.callNow;
  }

  setAlarm(time: number | Date): void {
    this.#instance.setAlarm(time);
  }

  getAlarm(): number | null {
    return this.#instance.alarmTime;
  }

  deleteAlarm(): void {
    this.#instance.setAlarm(null);
  }

  transaction<Result>(body: () => Result): Result {
    return this.#instance.transaction(body);
  }

  blockConcurrencyWhile<Result>(body: () => Promise<Result> | Result): Promise<Result> {
    const result = this.#instance.blockConcurrencyWhile(body);
    // A constructor cannot await what it has begun.
    result.catch(() => undefined);
    return result;
  }

  wait<Result>(promise: PromiseLike<Result>): Promise<Result> {
    return this.#instance.wait(promise);
  }

  waitUntil(promise: PromiseLike<unknown>): void {
    this.#instance.waitUntil(promise);
  }

  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response> {
    return this.#instance.send(() => globalThis.fetch(input, init));
  }

  abort(reason?: unknown): void {
    this.#instance.reset(`${shown(this.#instance.key)} was given up by its own code.`, reason);
  }
}
