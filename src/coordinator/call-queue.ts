import type { Call } from './call.ts';
import { CoordinatorError, shown } from './errors.ts';
import type { Waiting } from './gate.ts';
import type { CoordinatorKey } from './store.ts';

/** Calls that may wait, their bytes, and for how long the first of them may. */
const QUEUE_CALLS = 1000;
const QUEUE_BYTES = 2 ** 24;
const QUEUE_MS = 10_000;

/** How much the calls of one coordinator are that have not begun. */
export class CallQueue {
  #size = 0;
  #bytes = 0;

  get size(): number {
    return this.#size;
  }

  add({ args }: Call): void {
    this.#size += 1;
    this.#bytes += args.length;
  }

  /** It begins. */
  remove({ args }: Call): void {
    this.#size -= 1;
    this.#bytes -= args.length;
  }

  /**
   * @param first - the call that has waited for longest; null: none, or that is not known
   * @throws CoordinatorError `coordinator-overloaded` where no more may wait
   */
  refuseOverload(key: CoordinatorKey, { args }: Call, now: number, first: Waiting | null): void {
    if (this.#size === 0) return;
    const { size } = this;
    if (size < QUEUE_CALLS && this.#bytes + args.length <= QUEUE_BYTES && !(first !== null && isLate(first, now))) return;
    throw new CoordinatorError('coordinator-overloaded', `${size} calls wait for ${shown(key)} already.`, { outcome: 'not-run', overloaded: true });
  }
}

/** Whether what waits since then has waited for too long. */
export function isLate({ queuedAt }: Pick<Waiting, 'queuedAt'>, now: number): boolean {
  return now - queuedAt > QUEUE_MS;
}

export function waitedTooLong(key: CoordinatorKey): CoordinatorError {
  return new CoordinatorError('coordinator-overloaded', `This call has waited for ${shown(key)} for more than ${QUEUE_MS / 1000} seconds.`, { outcome: 'not-run', overloaded: true });
}
