import type { Call } from './call.ts';
import { CoordinatorError, shown } from './errors.ts';
import type { Event } from './event.ts';
import type { CoordinatorKey } from './store.ts';

/** Calls that may wait, their bytes, and for how long the first of them may. */
const QUEUE_CALLS = 1000;
const QUEUE_BYTES = 2 ** 24;
const QUEUE_MS = 10_000;

/** The calls of one coordinator that have not begun, in the order in which they came. */
export class CallQueue {
  /** The first in the queue is the first to leave it. */
  readonly #events: Event[] = [];
  #bytes = 0;

  get size(): number {
    return this.#events.length;
  }

  add(event: Event): void {
    this.#events.push(event);
    this.#bytes += sizeOf(event);
  }

  /** The first one begins. */
  shift(): void {
    const event = this.#events.shift();
    if (event !== undefined) this.#bytes -= sizeOf(event);
  }

  /** Those that have waited for too long, which leave it. */
  takeLate(now: number): Event[] {
    let count = 0;
    while (isLate(this.#events[count], now)) count += 1;
    const late = this.#events.splice(0, count);
    for (const event of late) this.#bytes -= sizeOf(event);
    return late;
  }

  /** @throws CoordinatorError `coordinator-overloaded` where no more may wait */
  refuseOverload(key: CoordinatorKey, { args }: Call, now: number): void {
    const [first] = this.#events;
    if (first === undefined) return;
    const { size } = this;
    if (size < QUEUE_CALLS && this.#bytes + args.length <= QUEUE_BYTES && !isLate(first, now)) return;
    throw new CoordinatorError('coordinator-overloaded', `${size} calls wait for ${shown(key)} already.`, { outcome: 'not-run', overloaded: true });
  }
}

function isLate(event: Event | undefined, now: number): boolean {
  return event !== undefined && now - event.queuedAt > QUEUE_MS;
}

export function waitedTooLong(key: CoordinatorKey): CoordinatorError {
  return new CoordinatorError('coordinator-overloaded', `This call has waited for ${shown(key)} for more than ${QUEUE_MS / 1000} seconds.`, { outcome: 'not-run', overloaded: true });
}

function sizeOf({ call }: Event): number {
  return call?.args.length ?? 0;
}
