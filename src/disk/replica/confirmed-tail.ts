import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { readChain, writeChain } from './chain.ts';
import type { Chain } from './chain.ts';
import { readIncarnation, writeIncarnation } from './incarnation.ts';
import type { Incarnation } from './incarnation.ts';
import { readOperation, writeOperation } from './operation.ts';
import type { Operation } from './operation.ts';

const MOST_OPERATIONS = 1024;
const MOST_BYTES = 2 ** 20;

/** An operation of this replica that has had its turn. */
export interface Confirmed {
  readonly operation: Operation;
  readonly incarnation: Incarnation;
  readonly number: number;
  /** Up to it, as the order has it. */
  readonly chain: Chain;
  /** Of its entry; 0 where nobody knows any more. */
  readonly position: number;
}

/**
 * The last of this replica's own operations that were confirmed: a hub that was restored from a backup may have
 * forgotten them, and is given them again (rule 12). Bounded, oldest dropped first.
 */
export class ConfirmedTail {
  #items: Confirmed[] = [];
  #bytes = 0;

  get items(): readonly Confirmed[] {
    return this.#items;
  }

  push(item: Confirmed): void {
    this.#items.push(item);
    this.#bytes += item.operation.payload.length;
    while (this.#items.length > MOST_OPERATIONS || this.#bytes > MOST_BYTES) this.#drop();
  }

  #drop(): void {
    this.#bytes -= this.#items.shift()?.operation.payload.length ?? 0;
  }

  replace(items: Iterable<Confirmed>): void {
    this.#items = [];
    this.#bytes = 0;
    for (const item of items) this.push(item);
  }

  write(writer: ByteWriter): void {
    writer.integer(this.#items.length);
    for (const { operation, incarnation, number, chain, position } of this.#items) {
      writeIncarnation(writer, incarnation);
      writer.integer(number).integer(position);
      writeChain(writer, chain);
      writeOperation(writer, operation);
    }
  }

  read(reader: ByteReader): void {
    const items: Confirmed[] = [];
    for (let left = reader.integer(); left > 0; left--) {
      const incarnation = readIncarnation(reader);
      const number = reader.integer();
      const position = reader.integer();
      const chain = readChain(reader);
      items.push({ incarnation, number, position, chain, operation: readOperation(reader) });
    }
    this.replace(items);
  }
}
