import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { PayloadReader } from '../journal/payload-reader.ts';

/** Reads what a `ByteWriter` wrote. */
export class ByteReader extends PayloadReader {
  constructor(bytes: Uint8Array) {
    super(damaged);
    this.begin(bytes);
  }

  /** A copy, which outlives what it was read from. */
  bytes(length: number = this.integer()): Uint8Array {
    return new Uint8Array(this.take(length));
  }

  text(): string {
    return this.take(this.integer()).toString('utf8');
  }
}

export function damaged(why: string): HoldfastError {
  return new HoldfastError('hub-damaged', `A record of the hub's order makes no sense: ${why}.`);
}
