import type { ByteReader } from './byte-reader.ts';
import { damaged } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { Refusal } from './model.ts';
import { isSameOperation, readOperation, writeOperation } from './operation.ts';
import type { Operation, OperationId } from './operation.ts';

/** An operation of this replica that the order refused. */
export interface Rejection {
  /** Counts the replica's rejections, from 1. */
  readonly serial: number;
  readonly operation: Operation;
  readonly reason: Refusal;
  /** Where in the hub's order it was refused. */
  readonly position: number;
}

/** Beyond this the oldest are dropped: a replica that nobody reads the rejections of must not grow for ever. */
const KEPT = 1000;

const REASONS: readonly Refusal[] = ['quota', 'expected', 'damaged', 'unknown'];

/** The rejections that nobody has acknowledged, oldest first. */
export class Rejections {
  #items: Rejection[] = [];
  /** The last ones, acknowledged or not: who asks for a verdict may come after somebody else has acknowledged it. */
  #recent: Rejection[] = [];
  #serial = 0;

  get items(): readonly Rejection[] {
    return this.#items;
  }

  /** Of the newest one there ever was; 0 before the first. */
  get serial(): number {
    return this.#serial;
  }

  add(operation: Operation, reason: Refusal, position: number): Rejection {
    this.#serial += 1;
    const rejection = { serial: this.#serial, operation, reason, position };
    this.#items.push(rejection);
    this.#recent.push(rejection);
    for (const list of [this.#items, this.#recent]) if (list.length > KEPT) list.shift();
    return rejection;
  }

  /** Why an operation that is pending no more was refused; undefined: it was not, or that was long ago. */
  refusalOf(id: OperationId): Refusal | undefined {
    return this.#recent.findLast(({ operation }) => isSameOperation(operation, id))?.reason;
  }

  acknowledge(through: number): void {
    this.#items = this.#items.filter(({ serial }) => serial > through);
  }

  write(writer: ByteWriter): void {
    writer.integer(this.#serial).integer(this.#items.length);
    for (const { serial, operation, reason, position } of this.#items) {
      writer.integer(serial).byte(REASONS.indexOf(reason)).integer(position);
      writeOperation(writer, operation);
    }
  }

  read(reader: ByteReader): void {
    this.#serial = reader.integer();
    this.#items = [];
    for (let left = reader.integer(); left > 0; left--) {
      const serial = reader.integer();
      const reason = REASONS[reader.byte()];
      if (reason === undefined) throw damaged('the reason of a rejection is unknown');
      const position = reader.integer();
      this.#items.push({ serial, reason, position, operation: readOperation(reader) });
    }
    this.#recent = [...this.#items];
  }
}
