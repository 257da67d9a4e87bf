import type { Action, HistoryLog, LockMode, Result } from './history.ts';
import { nameValue } from './values.ts';

/** What the web says where an operation could not be done, and was not. */
const REFUSALS = new Set(['NoModificationAllowedError', 'NotReadableError', 'InvalidModificationError', 'AbortError']);

/** Does operations, and writes down when they began, and when and how they ended. */
export class Recorder {
  readonly realm: string;
  #log: HistoryLog;
  readonly #hasQuota: boolean;
  #values = 0;

  /** `hasQuota`: whether there may be no room for something. */
  constructor(realm: string, log: HistoryLog, hasQuota = false) {
    this.realm = realm;
    this.#log = log;
    this.#hasQuota = hasQuota;
  }

  /** Goes on in another log; no operation may be under way. */
  continueIn(log: HistoryLog): void {
    this.#log.close();
    this.#log = log;
  }

  /** A name for a value that nobody else writes, with `padding` characters after its name. */
  freshName(padding = 0): string {
    return nameValue(`${this.realm}-${++this.#values}`, padding);
  }

  /** Whether an error says that there is no room, and that is possible. */
  saysFull(error: unknown): boolean {
    return this.#hasQuota && nameOf(error) === 'QuotaExceededError';
  }

  /** An operation that returns at once. Returns what it told; undefined if it told nothing. */
  sync(object: string, action: Action, body: () => Result): Result | undefined {
    const call = this.#begin(object, action);
    try {
      return this.#done(call, body());
    } catch (error) {
      return this.#failed(call, error);
    }
  }

  /** `notFound`: what it means that something was not there; by default that is a failure. */
  async async(object: string, action: Action, body: () => Promise<Result>, notFound?: Result): Promise<Result | undefined> {
    const call = this.#begin(object, action);
    try {
      return this.#done(call, await body());
    } catch (error) {
      if (notFound !== undefined && nameOf(error) === 'NotFoundError') return this.#done(call, notFound);
      return this.#failed(call, error);
    }
  }

  /** Notes that there was no room for something that is part of no operation. */
  noteFull(): void {
    this.#log.write({ refused: this.#log.nextId(), why: 'QuotaExceededError' });
  }

  /** Notes that a lock is held from now on; returns what notes that it is about to be released. */
  holding(lock: string, mode: LockMode): () => void {
    const held = this.#log.nextId();
    this.#log.write({ held, lock, mode });
    return () => this.#log.write({ released: held });
  }

  #begin(object: string, action: Action): number {
    const call = this.#log.nextId();
    this.#log.write({ call, object, action });
    return call;
  }

  #done(call: number, result: Result): Result {
    this.#log.write({ done: call, result });
    return result;
  }

  #failed(call: number, error: unknown): undefined {
    const name = nameOf(error);
    if (REFUSALS.has(name) || this.saysFull(error)) this.#log.write({ refused: call, why: name });
    else this.#log.write({ failed: call, why: error instanceof Error ? `${name}: ${error.message}` : String(error) });
  }
}

export function nameOf(error: unknown): string {
  return error instanceof Error || error instanceof DOMException ? error.name : typeof error;
}
