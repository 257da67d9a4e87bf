import { HoldfastError } from '../../runtime/holdfast-error.ts';

/** Reads what a `ByteWriter` wrote, and trusts nothing: whatever does not fit is damaged. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw damaged('it ends early');
    return value;
  }

  /** A safe integer, seven bits a byte, lowest first. */
  integer(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) throw damaged('a number is too large');
      if (byte < 0x80) return value;
    }
  }

  /** A copy, which outlives what it was read from. */
  bytes(length: number = this.integer()): Uint8Array {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw damaged('a part is longer than the whole');
    this.#at += length;
    // A Buffer's own `slice` would share its memory.
    return new Uint8Array(this.#bytes.subarray(start, this.#at));
  }

  text(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.bytes());
  }

  /** Nothing may be left. */
  end(): void {
    if (!this.atEnd) throw damaged('bytes are left over');
  }
}

export function damaged(why: string): HoldfastError {
  return new HoldfastError('hub-damaged', `A record of the hub's order makes no sense: ${why}.`);
}
