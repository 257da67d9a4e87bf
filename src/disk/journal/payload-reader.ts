import { Buffer } from 'node:buffer';

const nothing: Uint8Array = Buffer.alloc(0);

type Slice = (this: Uint8Array, start: number, end: number) => string;

/** What `toString` of a Buffer comes down to; these take any bytes, so that no Buffer has to be made of them. */
const { latin1Slice, ucs2Slice } = Buffer.prototype as unknown as { readonly latin1Slice: Slice; readonly ucs2Slice: Slice };

/** Reads integers, strings and bytes one after the other, and trusts nothing: what does not fit is damaged. */
export class PayloadReader {
  readonly #damaged: (why: string) => Error;
  #bytes = nothing;
  #at = 0;

  /** `damaged` makes what is thrown where something does not fit. */
  constructor(damaged: (why: string) => Error) {
    this.#damaged = damaged;
  }

  begin(payload: Uint8Array): void {
    this.#bytes = payload;
    this.#at = 0;
  }

  get atEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** How many bytes were read. */
  get position(): number {
    return this.#at;
  }

  byte(): number {
    const value = this.#bytes[this.#at++];
    if (value === undefined) throw this.#damaged('it ends early');
    return value;
  }

  /** A safe integer, seven bits a byte, lowest first. */
  integer(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) throw this.#damaged('a number is too large');
      if (byte < 0x80) return value;
    }
  }

  /** Passes over bytes that are there. */
  skip(length: number): void {
    this.#at += length;
  }

  /** The next bytes: a view of what is read. */
  take(length: number): Buffer {
    const start = this.#at;
    if (length > this.#bytes.length - start) throw this.#damaged('a part is longer than the whole');
    this.#at += length;
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, length);
  }

  /** All bytes that are left: a view of what is read. */
  rest(): Buffer {
    return this.take(this.#bytes.length - this.#at);
  }

  /** UTF-16LE where it is wide, else Latin-1, behind its length in bytes. */
  string(wide: boolean): string {
    const length = this.integer();
    const start = this.#at;
    const end = start + length;
    if (end > this.#bytes.length) throw this.#damaged('a part is longer than the whole');
    if (wide && length % 2 !== 0) throw this.#damaged('a string of two-byte units has an odd length');
    this.#at = end;
    return (wide ? ucs2Slice : latin1Slice).call(this.#bytes, start, end);
  }

  /** Nothing may be left. */
  end(): void {
    if (!this.atEnd) throw this.#damaged('bytes are left over');
    this.#bytes = nothing;
    this.#at = 0;
  }
}
