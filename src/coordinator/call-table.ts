import type { CallId } from '../disk/coordinator/owned-records.ts';
import type { Event } from './event.ts';

/**
 * The calls of one coordinator that wait or run, by their ids. Mostly there is one, or none; and a name made of two numbers
 * would cost more than all else that is done with it.
 */
export class CallTable {
  #one: Event | null = null;
  /** All others, by callers and numbers. */
  #others: Map<number, Map<number, Event>> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: CallId): Event | undefined {
    if (this.#isOne(id)) return this.#one ?? undefined;
    return this.#others?.get(id.caller)?.get(id.number);
  }

  #isOne({ caller, number }: CallId): boolean {
    const call = this.#one?.call;
    return call?.number === number && call.caller === caller;
  }

  /** One that is not there. */
  add(id: CallId, event: Event): void {
    this.#size += 1;
    if (this.#one === null) this.#one = event;
    else this.#ofCaller(id.caller).set(id.number, event);
  }

  #ofCaller(caller: number): Map<number, Event> {
    const others = (this.#others ??= new Map<number, Map<number, Event>>());
    const known = others.get(caller) ?? new Map<number, Event>();
    others.set(caller, known);
    return known;
  }

  delete(id: CallId): void {
    if (this.#isOne(id)) this.#one = null;
    else if (!this.#deleteOther(id)) return;
    this.#size -= 1;
  }

  #deleteOther({ caller, number }: CallId): boolean {
    const ofCaller = this.#others?.get(caller);
    if (ofCaller?.delete(number) !== true) return false;
    if (ofCaller.size === 0) this.#others?.delete(caller);
    if (this.#others?.size === 0) this.#others = null;
    return true;
  }

  *values(): Generator<Event, void> {
    if (this.#one !== null) yield this.#one;
    for (const ofCaller of this.#others?.values() ?? []) yield* ofCaller.values();
  }

  clear(): void {
    this.#one = this.#others = null;
    this.#size = 0;
  }
}
