import type { CallId } from '../disk/coordinator/owned-records.ts';
import type { Event } from './event.ts';

/**
 * The calls of one coordinator that wait or run, by their ids. Mostly there is one, or none; and a name made of two numbers
 * would cost more than all else that is done with it.
 */
export class CallTable {
  #one: Event | null = null;
  /** All others, by a number that few have in common; each leads to the next that does. */
  #others: Map<number, Event> | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(id: CallId): Event | undefined {
    if (this.#one !== null && isOf(this.#one, id)) return this.#one;
    let event = this.#others?.get(placeOf(id));
    while (event !== undefined && !isOf(event, id)) event = event.other;
    return event;
  }

  /** One that is not there. */
  add(id: CallId, event: Event): void {
    this.#size += 1;
    if (this.#one === null) this.#one = event;
    else this.#addOther(placeOf(id), event);
  }

  #addOther(place: number, event: Event): void {
    const others = (this.#others ??= new Map());
    event.other = others.get(place);
    others.set(place, event);
  }

  delete(id: CallId): void {
    if (this.#one === null || !isOf(this.#one, id)) return this.#deleteOther(placeOf(id), id);
    this.#one = null;
    this.#size -= 1;
  }

  #deleteOther(place: number, id: CallId): void {
    const chain: Event[] = [];
    for (let event = this.#others?.get(place); event !== undefined; event = event.other) chain.push(event);
    const left = chain.filter((event) => !isOf(event, id));
    if (left.length === chain.length) return;
    this.#size -= 1;
    this.#others?.delete(place);
    for (const event of left.toReversed()) this.#addOther(place, event);
    if (this.#others?.size === 0) this.#others = null;
  }

  *values(): Generator<Event, void> {
    if (this.#one !== null) yield this.#one;
    for (const first of this.#others?.values() ?? []) for (let event: Event | undefined = first; event !== undefined; event = event.other) yield event;
  }

  clear(): void {
    this.#one = this.#others = null;
    this.#size = 0;
  }
}

function placeOf({ caller, number }: CallId): number {
  return caller ^ number;
}

function isOf({ call }: Event, { caller, number }: CallId): boolean {
  return call !== null && call.number === number && call.caller === caller;
}
