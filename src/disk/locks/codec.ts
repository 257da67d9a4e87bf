import { Buffer } from 'node:buffer';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Locator } from '../locator.ts';

/** Builds the payload of one record at a time; what `end` gives is valid until the next `begin`. */
export class PayloadWriter {
  #bytes = new Uint8Array(512);
  #length = 0;

  begin(): this {
    this.#length = 0;
    return this;
  }

  end(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** A non-negative safe integer, seven bits a byte, the lowest first. */
  number(value: number): this {
    this.#reserve(8);
    let rest = value;
    while (rest > 127) {
      this.#bytes[this.#length++] = (rest % 128) + 128;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#length++] = rest;
    return this;
  }

  /** A safe integer of either sign, small where it is near 0: twice its amount, and one less where it is negative. */
  difference(value: number): this {
    return this.number(value < 0 ? -2 * value - 1 : 2 * value);
  }

  flag(value: boolean): this {
    return this.number(value ? 1 : 0);
  }

  /** UTF-16 code units, exact: one byte each where all of them fit, two otherwise. */
  text(value: string): this {
    const start = this.#length;
    this.#reserve(value.length * 2 + 8);
    this.number(value.length * 2);
    const bytes = this.#bytes;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 255) {
        this.#length = start;
        return this.#wideText(value);
      }
      bytes[this.#length++] = code;
    }
    return this;
  }

  locator(value: Locator): this {
    this.number(value.length);
    for (const name of value) this.text(name);
    return this;
  }

  #wideText(value: string): this {
    this.number(value.length * 2 + 1);
    const bytes = this.#bytes;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      bytes[this.#length++] = code & 255;
      bytes[this.#length++] = code >> 8;
    }
    return this;
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}

/** Reads what {@link PayloadWriter} wrote; a payload that is too short is damage, never `undefined`. */
export class PayloadReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(payload: Uint8Array) {
    this.#bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  }

  get atEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  number(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) throw damaged();
      if (byte < 128) return value + byte * scale;
      value += (byte - 128) * scale;
    }
    throw damaged();
  }

  difference(): number {
    const folded = this.number();
    return folded % 2 === 1 ? -(folded + 1) / 2 : folded / 2;
  }

  flag(): boolean {
    return this.number() === 1;
  }

  text(): string {
    const head = this.number();
    const wide = head % 2 === 1;
    const start = this.#at;
    this.#at += wide ? head - 1 : head / 2;
    if (this.#at > this.#bytes.length) throw damaged();
    return this.#bytes.toString(wide ? 'utf16le' : 'latin1', start, this.#at);
  }

  locator(): string[] {
    const length = this.number();
    const names: string[] = [];
    while (names.length < length) names.push(this.text());
    return names;
  }
}

/** The member that a number of a record stands for. */
export function pick<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw damaged();
  return value;
}

function damaged(): HoldfastError {
  return new HoldfastError('journal-damaged', 'A record of the lock journal does not hold what its kind says');
}
