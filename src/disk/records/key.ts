import { Buffer } from 'node:buffer';
import { types } from 'node:util';
import { isArrayBuffer, isSharedArrayBuffer } from '../../runtime/byte-brands.ts';
import { ownProperty } from '../../runtime/define.ts';
import { KeyBytes } from './key-bytes.ts';
import { KeyReader } from './key-reader.ts';

/** A key, written so that comparing bytes compares keys; docs/FORMAT.md, "Keys". */
export type EncodedKey = Uint8Array;

/**
 * Null: it is no valid key. What getters of an array throw passes through.
 *
 * @throws RangeError for an array that is nested too deeply
 * @see https://w3c.github.io/IndexedDB/#convert-value-to-key
 */
export function encodeKey(value: unknown): EncodedKey | null {
  if (typeof value === 'number') return Number.isNaN(value) ? null : KeyBytes.ofNumber(value);
  if (typeof value === 'string') return KeyBytes.ofString(value);
  return encodeSeen(value, new Set());
}

/**
 * The keys of an array's elements, none twice, without those that are invalid; of any other value its own key. Null: it
 * is none.
 *
 * @see https://w3c.github.io/IndexedDB/#convert-a-value-to-a-multientry-key
 */
export function encodeMultiEntryKey(value: unknown): EncodedKey[] | null {
  if (!isPlainArray(value)) {
    const key = encodeKey(value);
    return key && [key];
  }
  const seen = new Set<object>([value]);
  const keys: EncodedKey[] = [];
  const { length } = value;
  for (let index = 0; index < length; index++) {
    const key = keyOfElement(value, index, seen);
    if (key !== null) keys.push(key);
  }
  return withoutRepeated(keys);
}

/** What throws has no key. */
function keyOfElement(array: readonly unknown[], index: number, seen: Set<object>): EncodedKey | null {
  try {
    return encodeSeen(array[index], seen);
  } catch {
    return null;
  }
}

function withoutRepeated(keys: EncodedKey[]): EncodedKey[] {
  const met = new Set<string>();
  return keys.filter((key) => {
    const text = Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
    return !met.has(text) && met.add(text);
  });
}

/**
 * The key as a value of this realm.
 *
 * @throws RecordsDamagedError for bytes that {@link encodeKey} does not give
 * @see https://w3c.github.io/IndexedDB/#convert-a-key-to-a-value
 */
export function decodeKey(key: EncodedKey): unknown {
  return new KeyReader(key).read();
}

/** Negative, zero or positive. https://w3c.github.io/IndexedDB/#compare-two-keys */
export function compareKeys(a: EncodedKey, b: EncodedKey): number {
  return Buffer.compare(a, b);
}

/** `seen` are the arrays met so far, as the standard has it: none may be met twice, wherever. */
function encodeSeen(value: unknown, seen: Set<object>): EncodedKey | null {
  const bytes = new KeyBytes();
  return writeKey(value, bytes, seen, false) ? bytes.finish() : null;
}

/** False: it is no valid key. */
function writeKey(value: unknown, bytes: KeyBytes, seen: Set<object>, isNested: boolean): boolean {
  switch (typeof value) {
    case 'number':
      return writeNumber(value, bytes);
    case 'string':
      bytes.string(value, isNested);
      return true;
    case 'object':
      return value !== null && writeObject(value, bytes, seen, isNested);
    default:
      return false;
  }
}

function writeNumber(value: number, bytes: KeyBytes): boolean {
  if (Number.isNaN(value)) return false;
  bytes.number(value);
  return true;
}

const timeValue = Date.prototype.getTime;

function writeObject(value: object, bytes: KeyBytes, seen: Set<object>, isNested: boolean): boolean {
  if (isPlainArray(value)) return writeArray(value, bytes, seen, isNested);
  if (types.isDate(value)) {
    const time = Reflect.apply(timeValue, value, []);
    if (!Number.isNaN(time)) bytes.date(time);
    return !Number.isNaN(time);
  }
  const content = bytesOf(value);
  if (content !== null) bytes.binary(content, isNested);
  return content !== null;
}

/** https://tc39.es/ecma262/#sec-array-exotic-objects; a proxy is none. */
function isPlainArray(value: unknown): value is readonly unknown[] {
  return Array.isArray(value) && !types.isProxy(value);
}

/** Its length as it is at first; a getter may have taken elements away, which makes it invalid. */
function writeArray(value: readonly unknown[], bytes: KeyBytes, seen: Set<object>, isNested: boolean): boolean {
  if (seen.has(value)) return false;
  seen.add(value);
  bytes.startArray();
  const { length } = value;
  for (let index = 0; index < length; index++) {
    if (!Object.hasOwn(value, index) || !writeKey(value[index], bytes, seen, true)) return false;
  }
  if (isNested) bytes.endArray();
  return true;
}

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const ofTypedArray = { buffer: getter(typedArray, 'buffer'), byteOffset: getter(typedArray, 'byteOffset'), byteLength: getter(typedArray, 'byteLength') };
const ofDataView = {
  buffer: getter(DataView.prototype, 'buffer'),
  byteOffset: getter(DataView.prototype, 'byteOffset'),
  byteLength: getter(DataView.prototype, 'byteLength'),
};
const byteLengthOfBuffer = getter(ArrayBuffer.prototype, 'byteLength');

function getter(prototype: object, name: string): (this: unknown) => unknown {
  const { get } = ownProperty(prototype, name) ?? {};
  if (get === undefined) throw new Error(`${name} has no getter`);
  return get;
}

/**
 * The bytes that a buffer, or a view of one, holds now; null for other objects, and where the buffer is detached or too
 * short for its view. https://webidl.spec.whatwg.org/#dfn-get-buffer-source-copy
 */
function bytesOf(value: object): Uint8Array | null {
  if (ArrayBuffer.isView(value)) return bytesOfView(value);
  if (isSharedArrayBuffer(value)) return new Uint8Array(value);
  return isArrayBuffer(value) ? bytesOfBuffer(value) : null;
}

function bytesOfBuffer(value: ArrayBuffer): Uint8Array | null {
  try {
    return new Uint8Array(value, 0, Reflect.apply(byteLengthOfBuffer, value, []) as number);
  } catch {
    return null; // It is detached.
  }
}

function bytesOfView(value: ArrayBufferView): Uint8Array | null {
  const of = types.isDataView(value) ? ofDataView : ofTypedArray;
  try {
    const offset = Reflect.apply(of.byteOffset, value, []) as number;
    const length = Reflect.apply(of.byteLength, value, []) as number;
    // Of a typed array whose buffer has become too short both are zero, which the buffer tells from one that is empty.
    const whole = new Uint8Array(Reflect.apply(of.buffer, value, []) as ArrayBuffer);
    return isTypedArrayOutOfBounds(value, length) ? null : whole.subarray(offset, offset + length);
  } catch {
    return null; // Its buffer is detached, or it is a DataView beyond the end of one.
  }
}

/** https://tc39.es/ecma262/#sec-istypedarrayoutofbounds: iterating is what tells it from an empty one. */
function isTypedArrayOutOfBounds(value: ArrayBufferView, length: number): boolean {
  if (length > 0 || types.isDataView(value)) return false;
  try {
    Reflect.apply(Uint8Array.prototype.keys, value, []);
    return false;
  } catch {
    return true;
  }
}
