import { damaged } from './byte-reader.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { REFUSALS } from './model.ts';
import type { Refusal } from './model.ts';
import { readOperation, writeOperation } from './operation.ts';
import type { Operation, OperationId } from './operation.ts';
import { OVERHEAD } from './pending-queue.ts';
import { nameOf } from './verdicts.ts';

/** An operation of this replica that the order refused. */
export interface Rejection {
  /** Counts the replica's rejections, from 1. */
  readonly serial: number;
  readonly operation: Operation;
  readonly reason: Refusal;
  /** Where in the hub's order it was refused. */
  readonly position: number;
  /** Whether whoever asked for it waited for the verdict, and was told. */
  readonly told: boolean;
}

/** Those that were told are kept too, but no more of them than this, the oldest dropped first. */
export const MOST_TOLD = 10_000;

/**
 * The rejections that nobody has acknowledged, oldest first. What nobody was told of is never dropped: what it takes
 * counts towards the cap on what is pending, so that who never acknowledges cannot write on for ever.
 */
export class Rejections {
  readonly #items = new Map<number, Rejection>();
  /** Serials of those whose operations somebody waits for. */
  readonly #awaited = new Map<string, number>();
  readonly #told = new Set<number>();
  #bytes = 0;
  #serial = 0;

  /** Walks over all of them. */
  get items(): readonly Rejection[] {
    return [...this.#items.values()];
  }

  get size(): number {
    return this.#items.size;
  }

  /** What those take that nobody was told of, roughly, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of the newest one there ever was; 0 before the first. */
  get serial(): number {
    return this.#serial;
  }

  /** Those with a higher serial, without a walk over the others. */
  *after(serial: number): Generator<Rejection> {
    for (let next = serial + 1; next <= this.#serial; next++) {
      const item = this.#items.get(next);
      if (item !== undefined) yield item;
    }
  }

  /** `awaited`: whether somebody waits to be told of it. */
  add(operation: Operation, reason: Refusal, position: number, awaited: boolean): Rejection {
    this.#serial += 1;
    const rejection = { serial: this.#serial, operation, reason, position, told: false };
    this.#keep(rejection);
    if (awaited) this.#awaited.set(nameOf(operation), rejection.serial);
    return rejection;
  }

  #keep(rejection: Rejection): void {
    this.#items.set(rejection.serial, rejection);
    if (rejection.told) this.#keepTold(rejection.serial);
    else this.#bytes += bytesOf(rejection);
  }

  #keepTold(serial: number): void {
    this.#told.add(serial);
    for (const oldest of this.#told) {
      if (this.#told.size <= MOST_TOLD) return;
      this.#drop(oldest);
    }
  }

  /** Whoever waited for an operation knows what became of it. */
  told(id: OperationId): void {
    const serial = this.#awaited.get(nameOf(id)) ?? 0;
    const rejection = this.#items.get(serial);
    this.#awaited.delete(nameOf(id));
    if (rejection === undefined) return;
    this.#bytes -= bytesOf(rejection);
    this.#keep({ ...rejection, told: true });
  }

  acknowledge(through: number): void {
    for (const serial of this.#items.keys()) {
      if (serial > through) return;
      this.#drop(serial);
    }
  }

  #drop(serial: number): void {
    const rejection = this.#items.get(serial);
    if (rejection === undefined) return;
    this.#items.delete(serial);
    this.#told.delete(serial);
    this.#awaited.delete(nameOf(rejection.operation));
    if (!rejection.told) this.#bytes -= bytesOf(rejection);
  }

  clear(): void {
    this.#items.clear();
    this.#awaited.clear();
    this.#told.clear();
    this.#bytes = 0;
    this.#serial = 0;
  }

  write(writer: ByteWriter): void {
    const awaited = new Set(this.#awaited.values());
    writer.integer(this.#serial).integer(this.#items.size);
    for (const { serial, operation, reason, position, told } of this.#items.values()) {
      writer.integer(serial).byte(REFUSALS.indexOf(reason)).integer(position);
      writer.byte(told ? TOLD : awaited.has(serial) ? AWAITED : 0);
      writeOperation(writer, operation);
    }
  }

  read(reader: ByteReader): void {
    this.#readAll(reader, () => reader.byte());
  }

  /** As snapshots of before version 2 had them. */
  readOld(reader: ByteReader): void {
    this.#readAll(reader, () => 0);
  }

  #readAll(reader: ByteReader, readStanding: () => number): void {
    this.clear();
    this.#serial = reader.integer();
    for (let left = reader.integer(); left > 0; left--) {
      const serial = reader.integer();
      const reason = REFUSALS[reader.byte()];
      if (reason === undefined) throw damaged('the reason of a rejection is unknown');
      const position = reader.integer();
      const standing = readStanding();
      const operation = readOperation(reader);
      this.#keep({ serial, reason, position, operation, told: standing === TOLD });
      if (standing === AWAITED) this.#awaited.set(nameOf(operation), serial);
    }
  }
}

const AWAITED = 1;
const TOLD = 2;

function bytesOf({ operation }: Rejection): number {
  return operation.payload.length + OVERHEAD;
}
