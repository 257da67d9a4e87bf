import { Buffer } from 'node:buffer';
import { tags } from './tags.ts';

/** Below this length a loop over the characters beats a call into the runtime. */
const SHORT = 24;

/** Kept for the next value; a larger one gives its memory back. */
const KEPT_BYTES = 2 ** 16;

/** What shares memory: an ArrayBuffer of its own costs more than all else of a small value. */
const SHARED_BYTES = 2 ** 10;
const PIECE_BYTES = 2 ** 14;

/** A Buffer, as all that reads it wants one. */
let piece: Buffer = Buffer.alloc(0);
let used = 0;

function inPiece(bytes: Buffer, length: number): Uint8Array {
  if (used + length > piece.length) {
    piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    used = 0;
  }
  const start = used;
  used += bytes.copy(piece, used, 0, length);
  return piece.subarray(start, used);
}

const beyondLatin1 = /[^\u0000-\u00ff]/;

let kept: Buffer | null = null;

/** Growing bytes: tags, numbers and strings as values are written in. */
export class ValueBytes {
  #bytes: Buffer;
  #at = 0;

  constructor() {
    this.#bytes = kept ?? Buffer.allocUnsafeSlow(KEPT_BYTES);
    kept = null;
  }

  /** A copy of what was written, in memory of its own unless it may share some; nothing may be written any more. */
  finish(mayShare: boolean): Uint8Array {
    const length = this.#at;
    const bytes = mayShare && length <= SHARED_BYTES ? inPiece(this.#bytes, length) : new Uint8Array(this.#bytes.subarray(0, length));
    this.release();
    return bytes;
  }

  /** Gives the memory back, for where nothing comes of the value. */
  release(): void {
    if (this.#bytes.length === KEPT_BYTES) kept = this.#bytes;
  }

  get length(): number {
    return this.#at;
  }

  /** Four bytes, little-endian, in the place of such that were written before. */
  putUint32(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at);
  }

  byte(value: number): void {
    if (this.#at === this.#bytes.length) this.#grow(1);
    this.#bytes[this.#at++] = value;
  }

  /** A non-negative safe integer, seven bits a byte, lowest first. */
  integer(value: number): void {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) this.byte((rest % 0x80) | 0x80);
    this.byte(rest);
  }

  /** With its tag. Integers of 32 bits are short; -0 is none. */
  number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.byte(tags.integer);
      this.integer(value < 0 ? -2 * value - 1 : 2 * value);
    } else {
      this.byte(tags.double);
      this.double(value);
    }
  }

  double(value: number): void {
    this.#room(8);
    this.#at = this.#bytes.writeDoubleLE(value, this.#at);
  }

  /** With its tag. */
  bigint(value: bigint): void {
    this.byte(value < 0n ? tags.negativeBigint : tags.bigint);
    const digits = (value < 0n ? -value : value).toString(16);
    const bytes = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex').reverse();
    this.integer(bytes.length);
    this.raw(bytes);
  }

  /** With its tag, which says whether its code units take one byte or two. */
  string(value: string): void {
    const start = this.#at;
    if (value.length < SHORT && this.#shortLatin1(value)) return;
    this.#at = start;
    const wide = beyondLatin1.test(value);
    this.byte(wide ? tags.utf16 : tags.latin1);
    const length = wide ? 2 * value.length : value.length;
    this.integer(length);
    this.#room(length);
    this.#at += this.#bytes.write(value, this.#at, wide ? 'utf16le' : 'latin1');
  }

  #shortLatin1(value: string): boolean {
    this.#room(SHORT + 2);
    const bytes = this.#bytes;
    let at = this.#at;
    bytes[at++] = tags.latin1;
    bytes[at++] = value.length;
    for (let index = 0; index < value.length; index++) {
      const unit = value.charCodeAt(index);
      if (unit > 0xff) return false;
      bytes[at++] = unit;
    }
    this.#at = at;
    return true;
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  /** All numbers of an array as doubles. */
  doubles(values: readonly number[]): void {
    const copy = Float64Array.from(values);
    this.raw(new Uint8Array(copy.buffer));
  }

  #room(more: number): void {
    if (this.#at + more > this.#bytes.length) this.#grow(more);
  }

  #grow(more: number): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#at + more, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.release();
    this.#bytes = grown;
  }
}
