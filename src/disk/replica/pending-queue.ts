import { chains } from './chain.ts';
import type { Chain } from './chain.ts';
import type { ClientTable } from './client-table.ts';
import type { Incarnation } from './incarnation.ts';
import type { Operation } from './operation.ts';

/** An operation of this replica with its number in its client's order. */
export interface Numbered {
  readonly operation: Operation;
  readonly incarnation: Incarnation;
  /** From 1, without a gap in one incarnation. */
  readonly number: number;
  /** Counts what was ever pending here: who waits for it waits until no lower or equal one is. 0: nobody waits for it. */
  readonly ticket: number;
  /** The chain up to what comes before it; null: to what is before it in the queue. */
  readonly previous: Chain | null;
}

interface Item extends Numbered {
  previous: Chain | null;
  /** Up to it, once somebody has asked: a local write should not pay for it. */
  chain: Chain | null;
}

/** The items from `start` on, counted from the first there ever was, up to the next run: their numbers go upwards. */
interface Run {
  readonly incarnation: Incarnation;
  readonly start: number;
}

/** What an operation takes beside its payload, roughly: so that a cap on bytes is one on operations too. */
export const OVERHEAD = 32;

/** Dead places at the front are given up in one go. */
const SLACK = 1024;

/**
 * The operations that no echo has confirmed, in the order of the journal. Those of one incarnation are numbered
 * upwards, without a gap but where one was confirmed early; the incarnations follow each other.
 *
 * There may be a million of them: nothing here that is done more than once for each walks over them, but what replaces
 * them all.
 */
export class PendingQueue {
  #items: Item[] = [];
  #first = 0;
  /** Items that were given up at the front of `#items`. */
  #gone = 0;
  #runs: Run[] = [];
  #bytes = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  /** What the operations take, roughly, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  get last(): Numbered | undefined {
    return this.length === 0 ? undefined : this.#items[this.#items.length - 1];
  }

  /** Those of which something is pending. */
  get incarnations(): ReadonlySet<Incarnation> {
    return new Set(this.length === 0 ? [] : this.#runs.map(({ incarnation }) => incarnation));
  }

  at(index: number): Numbered | undefined {
    return this.#at(index);
  }

  #at(index: number): Item | undefined {
    return this.#items[this.#first + index];
  }

  *[Symbol.iterator](): Generator<Numbered> {
    for (let at = this.#first; at < this.#items.length; at++) {
      const item = this.#items[at];
      if (item !== undefined) yield item;
    }
  }

  push({ operation, incarnation, number, ticket, previous }: Numbered): void {
    const { last } = this;
    const goesOn = last?.incarnation === incarnation && last.number < number;
    if (!goesOn) this.#runs.push({ incarnation, start: this.#gone + this.#items.length });
    this.#items.push({ operation, incarnation, number, ticket, previous, chain: null });
    this.#bytes += operation.payload.length + OVERHEAD;
  }

  /** The first one has come back in the order, where the chain up to it is `chain`. */
  shift(chain: Chain): void {
    const item = this.#at(0);
    if (item === undefined) return;
    this.#first += 1;
    this.#bytes -= item.operation.payload.length + OVERHEAD;
    const [, next] = this.#runs;
    if (next !== undefined && next.start <= this.#gone + this.#first) this.#runs.shift();
    this.#follow(0, item.incarnation, chain);
    // What was worked out on top of another chain is of no use: the order has it from an entry of version 1.
    if (item.chain !== null && item.chain !== chain) this.#forgetChains();
    if (this.#first >= SLACK && 2 * this.#first >= this.#items.length) this.#forgetFront();
  }

  /** What is at `index` now, if it is of that incarnation, comes after what has `chain`. */
  #follow(index: number, incarnation: Incarnation, chain: Chain): void {
    const item = this.#at(index);
    if (item?.incarnation === incarnation) item.previous = chain;
  }

  #forgetChains(): void {
    for (let index = 0, item = this.#at(0); item !== undefined && item.chain !== null; item = this.#at(++index)) item.chain = null;
  }

  #forgetFront(): void {
    this.#items = this.#items.slice(this.#first);
    this.#gone += this.#first;
    this.#first = 0;
  }

  /** Takes one out that others are still before; the chain up to it is `chain`. */
  remove(index: number, chain: Chain): void {
    const incarnation = this.at(index)?.incarnation;
    this.replace([...this].filter((_, at) => at !== index));
    if (incarnation !== undefined) this.#follow(index, incarnation, chain);
  }

  replace(items: Iterable<Numbered>): void {
    this.#items = [];
    this.#first = 0;
    this.#gone = 0;
    this.#runs = [];
    this.#bytes = 0;
    for (const item of items) this.push(item);
  }

  /** Numbers what there is of an incarnation from the one after `last` on. Returns how much that is. */
  restart(incarnation: Incarnation, last: { readonly number: number; readonly chain: Chain }): number {
    let count = 0;
    this.replace(Array.from(this, (item) => {
      if (item.incarnation !== incarnation) return item;
      count += 1;
      return { ...item, number: last.number + count, previous: count === 1 ? last.chain : null };
    }));
    return count;
  }

  /** Where a number of an incarnation is; -1: nowhere. */
  indexOf(incarnation: Incarnation, number: number): number {
    const before = this.#gone + this.#first;
    for (const [at, run] of this.#runs.entries()) {
      if (run.incarnation !== incarnation) continue;
      const end = this.#runs[at + 1]?.start ?? this.#gone + this.#items.length;
      const index = this.#search(number, Math.max(0, run.start - before), end - before);
      if (index >= 0) return index;
    }
    return -1;
  }

  /** In the part of one run. */
  #search(number: number, start: number, end: number): number {
    let low = start;
    let high = end;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.at(middle)?.number ?? 0) < number) low = middle + 1;
      else high = middle;
    }
    return low < end && this.at(low)?.number === number ? low : -1;
  }

  /** The chain up to what comes before the operation at `index` in its incarnation. */
  chainBefore(index: number): Chain {
    const { previous } = this.#at(index) ?? {};
    return previous ?? this.chainAt(index - 1);
  }

  /** The chain up to the operation at `index`. */
  chainAt(index: number): Chain {
    let start = index;
    while (this.#needsBefore(start)) start -= 1;
    for (let at = start; at < index; at++) this.#workOut(at);
    return this.#workOut(index);
  }

  #needsBefore(index: number): boolean {
    const item = this.#at(index);
    return item !== undefined && item.chain === null && item.previous === null;
  }

  #workOut(index: number): Chain {
    const item = this.#at(index);
    if (item === undefined) throw new RangeError(`There is no pending operation ${index}.`);
    return (item.chain ??= chains.after(item.previous ?? this.#at(index - 1)?.chain ?? '', item.operation));
  }

  /** Whether the first one can be the next of its incarnation. */
  follows(clients: ClientTable): boolean {
    const head = this.at(0);
    if (head === undefined) return true;
    const last = clients.last(head.incarnation);
    return head.number === last.number + 1 && this.chainBefore(0) === last.chain;
  }
}
