import { damaged } from './byte-reader.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { chainOfMark, NO_CHAIN, readChain, writeChain } from './chain.ts';
import type { Chain } from './chain.ts';
import { readIncarnation, writeIncarnation } from './incarnation.ts';
import type { Incarnation } from './incarnation.ts';
import { readMark } from './operation.ts';
import { RecentPlaces } from './recent-places.ts';

/** How far an incarnation has come in the order. */
export interface Progress {
  /** The client sequence of its last operation that the order holds; 0: none. */
  readonly number: number;
  /** Up to that operation. */
  readonly chain: Chain;
  /** Of the entry that holds it; 0 where nobody knows: it came in an entry of version 1. */
  readonly position: number;
}

const NOBODY: readonly Incarnation[] = [];

const NOTHING: Progress = { number: 0, chain: NO_CHAIN, position: 0 };

/** What is asked about an operation: may it have its turn? */
export interface Candidacy {
  readonly incarnation: Incarnation;
  readonly number: number;
  /** The chain up to what its sender says comes before it. */
  readonly before: Chain;
  /** The position up to which its sender had everything when it was still pending there. */
  readonly base: number;
}

/**
 * How far each incarnation has come in the hub's order: what makes every operation happen once, in its client's order,
 * however often and in whatever order its batches arrive (rule 5). It keeps these invariants, in all regions alike:
 *
 * - it remembers the `most` incarnations that were active last, in the order of their last operations; what
 *   only version 1 has spoken of comes first;
 * - what it has forgotten had its last operation at or before `horizon`. So an incarnation that it does not know begins
 *   only with its first operation, and only if its sender had everything up to the horizon while that was pending:
 *   what was forgotten can never have its turn again.
 */
export class ClientTable {
  /** Of incarnations that are remembered. All regions must have the same: it is a part of the written format. */
  static most = 1024;
  /** Of the same entries. */
  readonly places = new RecentPlaces();
  #last = new Map<Incarnation, Progress>();
  #horizon = 0;

  get horizon(): number {
    return this.#horizon;
  }

  get size(): number {
    return this.#last.size;
  }

  last(incarnation: Incarnation): Progress {
    return this.#last.get(incarnation) ?? NOTHING;
  }

  knows(incarnation: Incarnation): boolean {
    return this.#last.has(incarnation);
  }

  /**
   * Whether this operation is next. A lower number is a duplicate; a higher one follows something that was lost, and
   * its sender sends both again; another chain is that of a history of the incarnation that was not taken (a copied
   * disk or machine went on twice).
   */
  isNext({ incarnation, number, before, base }: Candidacy): boolean {
    const last = this.last(incarnation);
    return number === last.number + 1 && before === last.chain && (number > 1 || base >= this.#horizon);
  }

  /**
   * `progress.position` 0: the operation came in an entry of version 1, which changes nobody's place.
   *
   * @returns the incarnations that are forgotten by that
   */
  record(incarnation: Incarnation, progress: Progress): readonly Incarnation[] {
    if (progress.position > 0) this.#last.delete(incarnation);
    this.#last.set(incarnation, progress);
    return progress.position > 0 && this.#last.size > ClientTable.most ? this.#forget(progress.position) : NOBODY;
  }

  #forget(now: number): Incarnation[] {
    const forgotten: Incarnation[] = [];
    for (const [incarnation, { position }] of this.#last) {
      if (this.#last.size <= ClientTable.most) break;
      this.#last.delete(incarnation);
      this.#horizon = Math.max(this.#horizon, position === 0 ? now - 1 : position);
      forgotten.push(incarnation);
    }
    return forgotten;
  }

  /** Becomes that of another log, which begins with what this one has come to: its positions say nothing there. */
  restart(): void {
    for (const [incarnation, progress] of this.#last) this.#last.set(incarnation, { ...progress, position: 0 });
    this.#horizon = Math.min(this.#horizon, 1);
    this.places.clear();
  }

  clear(): void {
    this.#last.clear();
    this.#horizon = 0;
    this.places.clear();
  }

  /** Becomes what another one is, which is not used any more. */
  adopt(other: ClientTable): void {
    this.#last = other.#last;
    this.#horizon = other.#horizon;
    this.places.adopt(other.places);
  }

  write(writer: ByteWriter): void {
    writer.integer(this.#horizon).integer(this.#last.size);
    for (const [incarnation, { number, chain, position }] of this.#last) {
      writeIncarnation(writer, incarnation);
      writer.integer(number);
      writeChain(writer, chain);
      writer.integer(position);
    }
    this.places.write(writer);
  }

  /** `position`: of the base that it is a part of. */
  read(reader: ByteReader, position: number): void {
    this.readWithoutPlaces(reader);
    this.places.read(reader, position);
  }

  /** As version 2 of bases had it. */
  readWithoutPlaces(reader: ByteReader): void {
    this.clear();
    this.#horizon = reader.integer();
    this.#readAll(reader, () => ({ number: reader.integer(), chain: readChain(reader), position: reader.integer() }));
  }

  /** As version 1 of bases had it. */
  readOld(reader: ByteReader): void {
    this.clear();
    this.#readAll(reader, () => ({ number: reader.integer(), chain: chainOfMark(readMark(reader)), position: 0 }));
  }

  #readAll(reader: ByteReader, readProgress: () => Progress): void {
    for (let left = reader.integer(); left > 0; left--) {
      const incarnation = readIncarnation(reader);
      if (this.#last.has(incarnation)) throw damaged('an incarnation is there twice');
      this.#last.set(incarnation, readProgress());
    }
  }
}
