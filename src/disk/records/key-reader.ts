import { ESCAPED, keyTypes } from './key-bytes.ts';
import { append } from '../../runtime/define.ts';
import { RecordsDamagedError } from './records-error.ts';

const FIXED_BYTES = 8;
const double = new DataView(new ArrayBuffer(FIXED_BYTES));

/** UTF-16 units that are made a string at once. */
const UNITS_AT_ONCE = 4096;

/** https://tc39.es/ecma262/#sec-timeclip */
const LATEST = 8.64e15;

/** Reads what key-bytes.ts writes, and takes nothing else: one key has one form. */
export class KeyReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The whole. Arrays are kept on a list, not on the stack: their depth is whatever somebody wrote. */
  read(): unknown {
    if (this.#peek() !== keyTypes.array) return this.#whole();
    const root: unknown[] = [];
    const open: unknown[][] = [root];
    this.#at += 1;
    for (let last = root; this.#at < this.#bytes.length; last = open[open.length - 1] ?? this.#damaged()) {
      const type = this.#peek();
      if (type === 0 || type === keyTypes.array) this.#at += 1;
      if (type === 0) open.pop();
      else if (type !== keyTypes.array) append(last, this.#element());
      else open.push(nested(last));
    }
    return open.length === 1 ? root : this.#damaged();
  }

  #peek(): number | undefined {
    return this.#bytes[this.#at];
  }

  #whole(): unknown {
    const type = this.#bytes[this.#at++];
    const value = type === keyTypes.string || type === keyTypes.binary ? this.#value(type, this.#bytes.subarray(1)) : this.#fixed(type);
    return type === keyTypes.string || type === keyTypes.binary || this.#at === this.#bytes.length ? value : this.#damaged();
  }

  #element(): unknown {
    const type = this.#bytes[this.#at++];
    return type === keyTypes.string || type === keyTypes.binary ? this.#value(type, this.#escaped()) : this.#fixed(type);
  }

  #value(type: number, content: Uint8Array): unknown {
    return type === keyTypes.string ? this.#string(content) : content.slice().buffer;
  }

  #fixed(type: number | undefined): unknown {
    const end = this.#at + FIXED_BYTES;
    if (end > this.#bytes.length || (type !== keyTypes.number && type !== keyTypes.date)) return this.#damaged();
    const first = this.#bytes[this.#at] ?? 0;
    // What is negative has all bits flipped, anything else its sign.
    const flipped = first >= 0x80 ? 0 : 0xff;
    double.setUint8(0, first ^ (flipped | 0x80));
    for (let at = 1; at < FIXED_BYTES; at++) double.setUint8(at, (this.#bytes[this.#at + at] ?? 0) ^ flipped);
    this.#at = end;
    const value = double.getFloat64(0);
    if (Number.isNaN(value) || Object.is(value, -0)) return this.#damaged();
    return type === keyTypes.number ? value : this.#date(value);
  }

  #date(time: number): Date {
    return Number.isInteger(time) && Math.abs(time) <= LATEST ? new Date(time) : this.#damaged();
  }

  /** The content up to its end, with the escapes taken out. */
  #escaped(): Uint8Array {
    const bytes = this.#bytes;
    const start = this.#at;
    let escapes = 0;
    let zero = bytes.indexOf(0, start);
    for (; zero >= 0 && bytes[zero + 1] === ESCAPED; zero = bytes.indexOf(0, zero + 2)) escapes += 1;
    if (zero < 0 || bytes[zero + 1] !== 0) return this.#damaged();
    this.#at = zero + 2;
    const content = bytes.subarray(start, zero);
    return escapes === 0 ? content : unescaped(content, escapes);
  }

  #string(content: Uint8Array): string {
    if (content.length > UNITS_AT_ONCE) return this.#long(content);
    const units: number[] = [];
    for (let at = 0; at < content.length; ) at = this.#unit(content, at, units);
    return String.fromCharCode(...units);
  }

  #long(content: Uint8Array): string {
    let text = '';
    for (let at = 0; at < content.length; ) {
      const units: number[] = [];
      while (at < content.length && units.length < UNITS_AT_ONCE) at = this.#unit(content, at, units);
      text += String.fromCharCode(...units);
    }
    return text;
  }

  /** @returns where the next begins */
  #unit(content: Uint8Array, at: number, units: number[]): number {
    const first = content[at] ?? 0;
    if (first < 0x80) {
      units.push(first);
      return at + 1;
    }
    const length = first >= 0xe0 ? 3 : 2;
    let unit = first & (length === 3 ? 0x0f : 0x1f);
    for (let next = at + 1; next < at + length; next++) {
      const byte = content[next] ?? 0;
      if (byte >> 6 !== 2) return this.#damaged();
      unit = (unit << 6) | (byte & 0x3f);
    }
    if (first < 0xc0 || first >= 0xf0 || unit < (length === 3 ? 0x800 : 0x80)) return this.#damaged();
    units.push(unit);
    return at + length;
  }

  #damaged(): never {
    throw new RecordsDamagedError('A stored key makes no sense.');
  }
}

function nested(list: unknown[]): unknown[] {
  const array: unknown[] = [];
  append(list, array);
  return array;
}

function unescaped(content: Uint8Array, escapes: number): Uint8Array {
  const plain = new Uint8Array(content.length - escapes);
  let to = 0;
  for (let at = 0; at < content.length; at++) {
    const byte = content[at] ?? 0;
    plain[to++] = byte;
    if (byte === 0) at += 1;
  }
  return plain;
}
