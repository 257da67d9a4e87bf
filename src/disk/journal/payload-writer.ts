import { Buffer } from 'node:buffer';

/** Up to here a scratch buffer is kept; beyond, memory is allocated for one payload and given back. */
const KEPT_BYTES = 2 ** 16;
/** Below this length a loop over the characters beats a call into the runtime. */
const SHORT = 24;
/** Room that a string may need beyond two bytes for each code unit: its length, and the slack of the ASCII attempt. */
const ROOM = 16;

const nothing: Buffer = Buffer.alloc(0);

const beyondLatin1 = /[^\u0000-\u00ff]/;

/**
 * Builds the payload of one record: integers in base 128, and strings that are exact in UTF-16. A string takes one byte
 * for each code unit where all of them are below 256 (Latin-1), else two (UTF-16LE).
 */
export class PayloadWriter {
  #kept: Buffer | null = null;
  #bytes: Buffer = nothing;
  #at = 0;

  /** Bytes written so far. */
  get length(): number {
    return this.#at;
  }

  /** Starts a payload that holds `strings` strings of `units` code units together. */
  begin(strings: number, units: number): void {
    const bound = ROOM * (strings + 1) + 2 * units;
    if (bound > KEPT_BYTES) this.#bytes = Buffer.allocUnsafeSlow(bound);
    else this.#bytes = this.#kept ??= Buffer.allocUnsafeSlow(KEPT_BYTES);
    this.#at = 0;
  }

  /** The payload: a view of memory that the next `begin` writes over. */
  finish(): Uint8Array {
    const payload = this.#bytes.subarray(0, this.#at);
    this.#bytes = nothing;
    return payload;
  }

  byte(value: number): void {
    this.#bytes[this.#at++] = value;
  }

  /** Changes a byte that was written before. */
  mark(at: number, bits: number): void {
    this.#bytes[at] = (this.#bytes[at] ?? 0) | bits;
  }

  /** A non-negative safe integer, seven bits a byte, lowest first. */
  integer(value: number): void {
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#at++] = rest;
  }

  /** A string behind its length in bytes. True: it is in UTF-16LE. */
  string(value: string): boolean {
    const start = this.#at;
    this.integer(value.length);
    if (this.#ascii(value)) return false;
    this.#at = start;
    const wide = beyondLatin1.test(value);
    this.integer(wide ? 2 * value.length : value.length);
    this.#at += this.#bytes.write(value, this.#at, wide ? 'utf16le' : 'latin1');
    return wide;
  }

  #ascii(value: string): boolean {
    return value.length < SHORT ? this.#shortAscii(value) : this.#longAscii(value);
  }

  #shortAscii(value: string): boolean {
    const bytes = this.#bytes;
    const start = this.#at;
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      if (unit >= 0x80) return false;
      bytes[start + index] = unit;
    }
    this.#at = start + value.length;
    return true;
  }

  /**
   * UTF-8 is the one encoding that every runtime writes fast, and it takes as many bytes as code units for ASCII only:
   * the room that `begin` left is too large for a longer encoding to be cut off at just that length.
   */
  #longAscii(value: string): boolean {
    if (this.#bytes.write(value, this.#at, 'utf8') !== value.length) return false;
    this.#at += value.length;
    return true;
  }
}
