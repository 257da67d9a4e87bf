import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { readIncarnation, writeIncarnation } from './incarnation.ts';
import type { Incarnation } from './incarnation.ts';
import { isSameMark, NO_OPERATION, readMark, writeMark } from './operation.ts';
import type { OperationMark } from './operation.ts';

/** The last operation of an incarnation that the order holds. */
export interface LastOperation extends OperationMark {
  /** Its client sequence. */
  readonly number: number;
}

const NOTHING: LastOperation = { ...NO_OPERATION, number: 0 };

/**
 * How far each incarnation has come in the hub's order: what makes every operation happen once, in its client's order,
 * however often and in whatever order its batches arrive (rule 5).
 */
export class ClientTable {
  readonly #last = new Map<Incarnation, LastOperation>();

  last(incarnation: Incarnation): LastOperation {
    return this.#last.get(incarnation) ?? NOTHING;
  }

  /**
   * Whether this operation is next. A lower number is a duplicate; a higher one follows something that was lost, and
   * its sender sends both again; another predecessor is of a history of the incarnation that was not taken (a copied
   * disk or machine went on twice).
   */
  isNext(incarnation: Incarnation, number: number, previous: OperationMark): boolean {
    const last = this.last(incarnation);
    return number === last.number + 1 && isSameMark(previous, last);
  }

  record(incarnation: Incarnation, number: number, { session, sequence, check }: OperationMark): void {
    this.#last.set(incarnation, { session, sequence, check, number });
  }

  clear(): void {
    this.#last.clear();
  }

  /** Becomes what another one is. */
  assign(other: ClientTable): void {
    this.#last.clear();
    for (const [incarnation, last] of other.#last) this.#last.set(incarnation, last);
  }

  write(writer: ByteWriter): void {
    writer.integer(this.#last.size);
    for (const [incarnation, last] of this.#last) {
      writeIncarnation(writer, incarnation);
      writer.integer(last.number);
      writeMark(writer, last);
    }
  }

  read(reader: ByteReader): void {
    this.#last.clear();
    for (let left = reader.integer(); left > 0; left--) {
      const incarnation = readIncarnation(reader);
      const number = reader.integer();
      this.record(incarnation, number, readMark(reader));
    }
  }
}
