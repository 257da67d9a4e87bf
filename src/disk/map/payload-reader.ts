import { Buffer } from 'node:buffer';
import { HoldfastError } from '../../runtime/holdfast-error.ts';

const nothing: Buffer = Buffer.alloc(0);

/** Reads what a `PayloadWriter` wrote, and trusts nothing: whatever does not fit is a damaged journal. */
export class PayloadReader {
  #bytes: Buffer = nothing;
  #at = 0;

  begin(payload: Uint8Array): void {
    this.#bytes = Buffer.isBuffer(payload)
      ? payload
      : Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
    this.#at = 0;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw damaged('it ends early');
    return value;
  }

  /** A safe integer. */
  integer(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) throw damaged('a number is too large');
      if (byte < 0x80) return value;
    }
  }

  string(wide: boolean): string {
    const length = this.integer();
    const start = this.#at;
    const end = start + length;
    if (end > this.#bytes.length) throw damaged('a string is longer than its record');
    if (wide && length % 2 !== 0) throw damaged('a string of two-byte units has an odd length');
    this.#at = end;
    return this.#bytes.toString(wide ? 'utf16le' : 'latin1', start, end);
  }

  /** Nothing may be left. */
  end(): void {
    if (!this.atEnd) throw damaged('bytes are left over');
    this.#bytes = nothing;
    this.#at = 0;
  }
}

/** What a record of a map is not. */
export function damaged(why: string): HoldfastError {
  return new HoldfastError('journal-damaged', `A record of a map has a valid checksum but makes no sense: ${why}.`);
}
