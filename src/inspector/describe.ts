import { types } from 'node:util';
import { isBlob } from '../runtime/byte-brands.ts';
import { isObject } from '../runtime/brands.ts';
import type { Shown } from './messages.ts';

/** What a value may come to on the page: parts, those of one object, levels, and code units of a text. */
const MOST_PARTS = 500;
const MOST_OF_ONE = 100;
const DEEPEST = 12;
const LONGEST = 2000;

/** Bytes that are shown of bytes. */
const MOST_BYTES = 64;

/**
 * A value that a tenant has stored, as text for people: what is in it is never run, and however it is nested, and however
 * often its parts are met, what comes of it is bounded. What was cloned has own data properties only, so that reading it
 * calls nothing.
 */
export function describe(value: unknown): Shown {
  return new Description().of(value, 0);
}

class Description {
  #left = MOST_PARTS;
  readonly #within: object[] = [];

  of(value: unknown, depth: number): Shown {
    if (!isObject(value)) return primitive(value);
    if (this.#within.includes(value)) return { type: 'circular', text: '↺' };
    if (depth > DEEPEST) return { type: 'object', text: '…' };
    this.#within.push(value);
    try {
      return this.#object(value, depth);
    } finally {
      this.#within.pop();
    }
  }

  #object(value: object, depth: number): Shown {
    const leaf = leafOf(value);
    if (leaf !== null) return leaf;
    if (types.isMap(value)) return this.#parts('Map', `Map(${value.size})`, value.size, mapParts(value), depth);
    if (types.isSet(value)) return this.#parts('Set', `Set(${value.size})`, value.size, setParts(value), depth);
    const names = Object.keys(value);
    if (Array.isArray(value)) return this.#parts('Array', `Array(${value.length})`, names.length, own(value, names), depth);
    return this.#parts('Object', names.length === 0 ? '{}' : `{${names.length}}`, names.length, own(value, names), depth);
  }

  #parts(type: string, text: string, size: number, entries: Iterable<readonly [string, unknown]>, depth: number): Shown {
    const parts: { name: string; value: Shown }[] = [];
    for (const [name, value] of entries) {
      if (parts.length >= MOST_OF_ONE || this.#left <= 0) break;
      this.#left -= 1;
      parts.push({ name: beginning(name), value: this.of(value, depth + 1) });
    }
    return { type, text, parts, ...(size > parts.length && { more: size - parts.length }) };
  }
}

function* own(value: object, names: readonly string[]): Generator<[string, unknown]> {
  for (const name of names) yield [name, Reflect.get(value, name)];
}

function* mapParts(map: ReadonlyMap<unknown, unknown>): Generator<[string, unknown]> {
  for (const [key, value] of map) yield [isObject(key) ? 'object →' : `${primitive(key).text} →`, value];
}

function* setParts(set: ReadonlySet<unknown>): Generator<[string, unknown]> {
  let index = 0;
  for (const value of set) yield [String(index++), value];
}

function primitive(value: unknown): Shown {
  if (typeof value === 'string') return { type: 'string', text: `${JSON.stringify(beginning(value))}${value.length > LONGEST ? ` … ${value.length}` : ''}` };
  if (typeof value === 'bigint') return { type: 'bigint', text: `${beginning(value.toString())}n` };
  if (Object.is(value, -0)) return { type: 'number', text: '-0' };
  return { type: value === null ? 'null' : typeof value, text: String(value) };
}

/** What has no parts; null for others. */
function leafOf(value: object): Shown | null {
  if (types.isDate(value)) return { type: 'Date', text: Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString() };
  if (types.isRegExp(value)) return { type: 'RegExp', text: beginning(String(value)) };
  if (types.isBoxedPrimitive(value)) return { type: 'object', text: `[${primitive(value.valueOf()).text}]` };
  if (types.isNativeError(value)) return { type: 'Error', text: beginning(`${value.name}: ${value.message}`) };
  if (types.isAnyArrayBuffer(value)) return bytesOf('ArrayBuffer', new Uint8Array(value));
  if (ArrayBuffer.isView(value)) return bytesOf(value.constructor.name, new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  if (isBlob(value)) return { type: 'Blob', text: `Blob(${value.size}) ${JSON.stringify(beginning(value.type))}` };
  return null;
}

function bytesOf(type: string, bytes: Uint8Array): Shown {
  const shown = Buffer.from(bytes.subarray(0, MOST_BYTES)).toString('hex').replace(/../g, '$& ').trimEnd();
  return { type, text: `${type}(${bytes.length}) ${shown}${bytes.length > MOST_BYTES ? ' …' : ''}` };
}

function beginning(text: string): string {
  return text.length > LONGEST ? text.slice(0, LONGEST) : text;
}
