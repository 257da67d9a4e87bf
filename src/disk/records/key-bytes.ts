import { Buffer } from 'node:buffer';

/** The first byte of a key; their order is that of the types. */
export const keyTypes = { number: 0x10, date: 0x20, string: 0x30, binary: 0x40, array: 0x50 } as const;

/** In arrays: what follows a zero that is of the content, so that an end, which has a zero there, sorts before it. */
export const ESCAPED = 1;

const surrogate = /[\ud800-\udfff]/;

/** A key of a number or a date, whose type byte goes first. */
const fixed = new Uint8Array(9);
const fixedView = new DataView(fixed.buffer);

/**
 * Short keys lie one behind another in rooms of so many bytes. An array with a buffer of its own would have SQLite's
 * binding allocate, register and give back that buffer for each key.
 */
const ROOM = 8192;
let room = new ArrayBuffer(ROOM);
let taken = 0;

function placeFor(length: number): Uint8Array {
  if (length > ROOM / 8) return new Uint8Array(length);
  if (taken + length > ROOM) {
    room = new ArrayBuffer(ROOM);
    taken = 0;
  }
  const place = new Uint8Array(room, taken, length);
  taken += length;
  return place;
}

/** Below this length a loop over the characters beats a call into the runtime. */
const SHORT = 32;

/** The growing bytes of a key; docs/FORMAT.md, "Keys". */
export class KeyBytes {
  #bytes = new Uint8Array(64);
  #at = 0;

  static ofNumber(value: number): Uint8Array {
    setFixed(keyTypes.number, value);
    const bytes = placeFor(fixed.length);
    bytes.set(fixed);
    return bytes;
  }

  static ofString(value: string): Uint8Array {
    const bytes = placeFor(1 + value.length);
    bytes[0] = keyTypes.string;
    // Most keys are short and of ASCII.
    if (value.length < SHORT) {
      let at = 0;
      for (; at < value.length; at++) {
        const unit = value.charCodeAt(at);
        if (unit > 0x7f) break;
        bytes[at + 1] = unit;
      }
      if (at === value.length) return bytes;
    }
    const content = contentOf(value);
    const whole = content.length === value.length ? bytes : placeFor(1 + content.length);
    whole[0] = keyTypes.string;
    whole.set(content, 1);
    return whole;
  }

  /** A copy of what was written. */
  finish(): Uint8Array {
    const whole = placeFor(this.#at);
    whole.set(this.#bytes.subarray(0, this.#at));
    return whole;
  }

  number(value: number): void {
    setFixed(keyTypes.number, value);
    this.#raw(fixed);
  }

  /** `time` is in milliseconds since 1970. */
  date(time: number): void {
    setFixed(keyTypes.date, time);
    this.#raw(fixed);
  }

  string(value: string, isNested: boolean): void {
    this.#content(keyTypes.string, contentOf(value), isNested);
  }

  binary(value: Uint8Array, isNested: boolean): void {
    this.#content(keyTypes.binary, value, isNested);
  }

  startArray(): void {
    this.#byte(keyTypes.array);
  }

  /** Of one within another. */
  endArray(): void {
    this.#byte(0);
  }

  #content(type: number, content: Uint8Array, isNested: boolean): void {
    this.#byte(type);
    if (!isNested) return this.#raw(content);
    let from = 0;
    for (let zero = content.indexOf(0); zero >= 0; zero = content.indexOf(0, from)) {
      this.#raw(content.subarray(from, zero + 1));
      this.#byte(ESCAPED);
      from = zero + 1;
    }
    this.#raw(content.subarray(from));
    this.#byte(0);
    this.#byte(0);
  }

  #byte(value: number): void {
    this.#room(1);
    this.#bytes[this.#at++] = value;
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #room(more: number): void {
    if (this.#at + more <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.#at + more, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = grown;
  }
}

/** A double whose bytes sort as it does: the sign flipped, and of negative ones all other bits too. -0 is 0. */
function setFixed(type: number, value: number): void {
  fixed[0] = type;
  fixedView.setFloat64(1, value + 0);
  const isNegative = value < 0;
  if (!isNegative) fixed[1] = (fixed[1] ?? 0) ^ 0x80;
  else for (let at = 1; at < 9; at++) fixed[at] = ~(fixed[at] ?? 0);
}

/** Each UTF-16 unit as UTF-8 has it, which sorts as the units do; without surrogates that is UTF-8. */
function contentOf(value: string): Uint8Array {
  return surrogate.test(value) ? unitsOf(value) : Buffer.from(value, 'utf8');
}

function unitsOf(value: string): Uint8Array {
  const bytes = new Uint8Array(3 * value.length);
  let at = 0;
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index);
    if (unit < 0x80) bytes[at++] = unit;
    else {
      if (unit < 0x800) bytes[at++] = 0xc0 | (unit >> 6);
      else {
        bytes[at++] = 0xe0 | (unit >> 12);
        bytes[at++] = 0x80 | ((unit >> 6) & 0x3f);
      }
      bytes[at++] = 0x80 | (unit & 0x3f);
    }
  }
  return bytes.subarray(0, at);
}
