import type { Call } from './call.ts';
import { CallTable } from './call-table.ts';
import { CoordinatorError, shown } from './errors.ts';
import type { Event } from './event.ts';
import type { Gate } from './gate.ts';
import type { CoordinatorKey } from './store.ts';

/** Calls that may wait, their bytes, and for how long each may, in milliseconds. */
const QUEUE_CALLS = 1000;
const QUEUE_BYTES = 2 ** 24;
const QUEUE_MS = 10_000;

/**
 * The calls of one coordinator, and its alarm, that wait for their turn or run, until their results have left: how many
 * there may be, and for how long.
 */
export class Calls {
  readonly #key: CoordinatorKey;
  readonly #gate: Gate;
  readonly #table = new CallTable();
  #alarm: Event | null = null;
  /** Of calls that have not begun. */
  #waiting = 0;
  #waitingBytes = 0;

  constructor(key: CoordinatorKey, gate: Gate) {
    this.#key = key;
    this.#gate = gate;
  }

  get isEmpty(): boolean {
    return this.#table.size === 0 && this.#alarm === null;
  }

  get waiting(): number {
    return this.#waiting;
  }

  get running(): number {
    return this.#table.size - this.#waiting + (this.#alarm === null ? 0 : 1);
  }

  get alarm(): Event | null {
    return this.#alarm;
  }

  get(call: Call): Event | undefined {
    return this.#table.get(call);
  }

  all(): Event[] {
    return [...this.#table.values(), ...(this.#alarm === null ? [] : [this.#alarm])];
  }

  /** @throws CoordinatorError `coordinator-deadlock` where it would wait for itself, `coordinator-overloaded` where no more may wait */
  admit(call: Call, now: number): void {
    this.#refuseCycle(call);
    this.#refuseOverload(call, now);
  }

  #refuseCycle({ chain }: Call): void {
    if (chain.length === 0) return;
    const running = this.all().filter(({ isRunning }) => isRunning);
    for (const holder of this.#gate.holders(running.map(({ id }) => id))) {
      const at = chain.findIndex(({ event }) => event === holder);
      if (at < 0) continue;
      const circle = [...chain.slice(at).map(({ shown: name }) => name), shown(this.#key)].join(' -> ');
      throw new CoordinatorError('coordinator-deadlock', `Each of these would wait for the next: ${circle}.`, { outcome: 'not-run', retryable: false });
    }
  }

  #refuseOverload({ args }: Call, now: number): void {
    if (this.#waiting === 0) return;
    const { first } = this.#gate;
    const isLate = first !== null && first !== this.#alarm && now - first.queuedAt > QUEUE_MS;
    if (this.#waiting < QUEUE_CALLS && this.#waitingBytes + args.length <= QUEUE_BYTES && !isLate) return;
    throw new CoordinatorError('coordinator-overloaded', `${this.#waiting} calls wait for ${shown(this.#key)} already.`, { outcome: 'not-run', overloaded: true });
  }

  /** It begins in its turn. */
  add(event: Event): void {
    const { call } = event;
    if (call === null) this.#alarm = event;
    else {
      this.#table.add(call, event);
      this.#waiting += 1;
      this.#waitingBytes += call.args.length;
    }
    this.#gate.enqueue(event);
  }

  /** It waits no longer. */
  begun({ call }: Event): void {
    if (call === null) return;
    this.#waiting -= 1;
    this.#waitingBytes -= call.args.length;
  }

  left({ call }: Event): void {
    if (call === null) this.#alarm = null;
    else this.#table.delete(call);
  }

  /** Tells those that have waited for too long, and have not begun, that they never will. */
  refuseLate(now: number): void {
    for (const event of [...this.#table.values()]) if (!event.isRunning && now - event.queuedAt > QUEUE_MS) this.#refuse(event);
  }

  #refuse(event: Event): void {
    this.#gate.withdraw(event);
    this.begun(event);
    this.left(event);
    const message = `This call has waited for ${shown(this.#key)} for more than ${QUEUE_MS / 1000} seconds.`;
    event.reject(new CoordinatorError('coordinator-overloaded', message, { outcome: 'not-run', overloaded: true }));
  }

  clear(): void {
    this.#table.clear();
    this.#alarm = null;
    this.#waiting = this.#waitingBytes = 0;
  }
}
