import { createHash } from 'node:crypto';
import { ByteReader } from '../../disk/replica/byte-reader.ts';
import { ByteWriter } from '../../disk/replica/byte-writer.ts';

/** Entries that are remembered. */
const MOST = 1024;

const DIGEST_BYTES = 16;

/** What a witness adds to an entry: two integers, and a digest behind its length. */
export const MOST_WITNESS_BYTES = 8 + 8 + 1 + DIGEST_BYTES;

/** What somebody saw in a log: the entries after `from`, up to `to`, by a digest over all of them. */
export interface Witness {
  readonly from: number;
  readonly to: number;
  /** Empty where `from` is `to`. */
  readonly digest: Uint8Array;
}

/**
 * The entries of a log that were read lately, as the hub gave them. Whoever appends says what it saw; whoever reads that
 * compares it with what it was given itself, so that a hub cannot give two regions two orders for long unnoticed.
 */
export class History {
  readonly #digests = new Map<number, Buffer>();
  #first = 1;
  #last = 0;
  /** Up to where somebody was told of it. */
  #told = 0;

  saw(position: number, bytes: Uint8Array): void {
    const digest = createHash('sha256').update(bytes).digest();
    const known = this.#digests.get(position);
    if (known?.equals(digest) === true) return;
    // Another history, or a hole: what was seen before is no more.
    if (known !== undefined || position !== this.#last + 1) this.forget(position);
    this.#digests.set(position, digest);
    this.#last = position;
    if (this.#digests.size > MOST) this.#digests.delete(this.#first++);
  }

  /** Begins anew, before a position. */
  forget(position = 1): void {
    this.#digests.clear();
    this.#first = position;
    this.#last = position - 1;
    this.#told = 0;
  }

  /** What was seen since the last time; the last entry at least. */
  witness(): Witness {
    const to = this.#last;
    const from = Math.max(this.#first - 1, Math.min(this.#told, to - 1));
    this.#told = to;
    return { from, to, digest: this.#over(from, to) ?? new Uint8Array(0) };
  }

  /** Whether an entry at a position can be of somebody who saw that; also true where nobody can tell. */
  agrees({ from, to, digest }: Witness, position: number): boolean {
    if (to >= position) return false;
    const own = this.#over(from, to);
    return own === null || own.equals(digest);
  }

  /** Null where not all of it was seen, or it is nothing. */
  #over(from: number, to: number): Buffer | null {
    if (from >= to || from + 1 < this.#first || to > this.#last) return null;
    const hash = createHash('sha256');
    for (let position = from + 1; position <= to; position++) hash.update(this.#digests.get(position) ?? '');
    return hash.digest().subarray(0, DIGEST_BYTES);
  }
}

/** An entry behind what its author saw. */
export function withWitness({ from, to, digest }: Witness, bytes: Uint8Array): Uint8Array {
  return new ByteWriter().integer(from).integer(to).bytes(digest).raw(bytes).finish();
}

/** @throws HoldfastError hub-damaged */
export function splitWitness(bytes: Uint8Array): { readonly witness: Witness; readonly bytes: Uint8Array } {
  const reader = new ByteReader(bytes);
  const witness = { from: reader.integer(), to: reader.integer(), digest: reader.bytes() };
  return { witness, bytes: reader.rest() };
}
