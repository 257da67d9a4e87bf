import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { ClientTable } from './client-table.ts';
import { readIncarnation, writeIncarnation } from './incarnation.ts';
import type { Incarnation } from './incarnation.ts';
import { markOf, readOperation, writeOperation } from './operation.ts';
import type { Operation, OperationMark } from './operation.ts';

/** An operation of this replica with its number in its client's order. */
export interface Numbered {
  readonly operation: Operation;
  readonly incarnation: Incarnation;
  /** From 1, without a gap in one incarnation. */
  readonly number: number;
}

/** What an operation takes beside its payload, roughly: so that a cap on bytes is one on operations too. */
const OVERHEAD = 32;

/** Dead places at the front are given up in one go. */
const SLACK = 1024;

/**
 * The operations that no echo has confirmed, in the order of the journal. Those of one incarnation are numbered without
 * a gap; the incarnations follow each other.
 */
export class PendingQueue {
  #items: Numbered[] = [];
  #first = 0;
  #bytes = 0;

  get length(): number {
    return this.#items.length - this.#first;
  }

  /** What the operations take, roughly, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  at(index: number): Numbered | undefined {
    return this.#items[this.#first + index];
  }

  [Symbol.iterator](): IterableIterator<Numbered> {
    return this.#items.slice(this.#first).values();
  }

  push(item: Numbered): void {
    this.#items.push(item);
    this.#bytes += item.operation.payload.length + OVERHEAD;
  }

  shift(): Numbered | undefined {
    const item = this.at(0);
    if (item === undefined) return undefined;
    this.#first += 1;
    this.#bytes -= item.operation.payload.length + OVERHEAD;
    if (this.#first >= SLACK && 2 * this.#first >= this.#items.length) this.#forgetFront();
    return item;
  }

  /** Takes one out that others are still before. */
  remove(index: number): void {
    this.replace([...this].filter((_, at) => at !== index));
  }

  /** Where a number of an incarnation is; -1: nowhere. */
  indexOf(incarnation: Incarnation, number: number): number {
    for (let index = 0; index < this.length; index++) {
      const item = this.at(index);
      if (item?.incarnation === incarnation && item.number === number) return index;
    }
    return -1;
  }

  #forgetFront(): void {
    this.#items = this.#items.slice(this.#first);
    this.#first = 0;
  }

  replace(items: Iterable<Numbered>): void {
    this.#items = [];
    this.#first = 0;
    this.#bytes = 0;
    for (const item of items) this.push(item);
  }

  /** What comes before the operation at `index` in its incarnation, where `clients` knows what was confirmed. */
  previous(index: number, clients: ClientTable): OperationMark | undefined {
    const item = this.at(index);
    if (item === undefined) return undefined;
    const before = index === 0 ? undefined : this.at(index - 1);
    return before?.incarnation === item.incarnation ? markOf(before.operation) : clients.last(item.incarnation);
  }

  /** Whether the first one can be the next of its incarnation. */
  follows(clients: ClientTable): boolean {
    const head = this.at(0);
    return head === undefined || head.number === clients.last(head.incarnation).number + 1;
  }
}

export function writeNumbered(writer: ByteWriter, items: readonly Numbered[]): void {
  writer.integer(items.length);
  for (const { operation, incarnation, number } of items) {
    writeIncarnation(writer, incarnation);
    writer.integer(number);
    writeOperation(writer, operation);
  }
}

export function readNumbered(reader: ByteReader): Numbered[] {
  const items: Numbered[] = [];
  for (let left = reader.integer(); left > 0; left--) {
    const incarnation = readIncarnation(reader);
    const number = reader.integer();
    items.push({ incarnation, number, operation: readOperation(reader) });
  }
  return items;
}
