import assert from 'node:assert';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compareKeys, decodeKey, encodeKey, encodeMultiEntryKey } from '../../src/disk/records/key.ts';
import { RecordsDamagedError } from '../../src/disk/records/records-error.ts';

/** More on request, such as `KEY_PAIRS=300000`. */
const PAIRS = Number(process.env.KEY_PAIRS ?? 20_000);

type Key = number | string | Date | ArrayBuffer | Key[];

const numbers = fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(0, -0, 1, -1, Infinity, -Infinity, Number.MIN_VALUE, -Number.MIN_VALUE, 256, 255), fc.integer());
const units = fc.constantFrom('\0', '\x01', '\x7f', '\x80', '\u07ff', '\u0800', '\ud7ff', '\ud800', '\udbff', '\udc00', '\udfff', '\ue000', '\uffff', 'a', 'b');
const strings = fc.oneof(fc.string({ unit: 'binary', maxLength: 6 }), fc.string({ unit: units, maxLength: 5 }), fc.string({ unit: 'grapheme-ascii', maxLength: 40 }));
const buffers = fc.oneof(fc.uint8Array({ maxLength: 5 }), fc.uint8Array({ max: 2, maxLength: 4 })).map((bytes) => bytes.slice().buffer);

const keys = fc.letrec<{ key: Key }>((tie) => ({
  key: fc.oneof(
    { maxDepth: 4 },
    numbers,
    fc.date({ noInvalidDate: true }),
    strings,
    buffers,
    fc.array(tie('key'), { maxLength: 4 }) as fc.Arbitrary<Key>,
  ),
})).key;

/** Near each other more often than by chance. */
const pairs = fc.oneof(
  fc.tuple(keys, keys),
  fc.tuple(fc.array(keys, { maxLength: 3 }), keys, keys).map(([start, a, b]): [Key, Key] => [[...start, a], [...start, b]]),
  fc.tuple(strings, strings, strings).map(([start, a, b]): [Key, Key] => [start + a, start + b]),
  fc.tuple(strings, strings, keys).map(([start, a, b]): [Key, Key] => [[start + a], [start, b]]),
);

const typeOf = (key: Key): number =>
  Array.isArray(key) ? 4 : key instanceof ArrayBuffer ? 3 : typeof key === 'string' ? 2 : key instanceof Date ? 1 : 0;

/** https://w3c.github.io/IndexedDB/#compare-two-keys, by its words. */
function compareByStandard(a: Key, b: Key): number {
  if (typeOf(a) !== typeOf(b)) return Math.sign(typeOf(a) - typeOf(b));
  if (Array.isArray(a) && Array.isArray(b)) return compareLists(a, b, compareByStandard);
  if (a instanceof ArrayBuffer && b instanceof ArrayBuffer) {
    return compareLists([...new Uint8Array(a)], [...new Uint8Array(b)], (x, y) => Math.sign(x - y));
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareLists<T>(a: readonly T[], b: readonly T[], compare: (x: T, y: T) => number): number {
  for (const [index, x] of a.entries()) {
    if (index === b.length) return 1;
    const order = compare(x, b[index] as T);
    if (order !== 0) return order;
  }
  return a.length < b.length ? -1 : 0;
}

function encode(value: unknown): Uint8Array {
  const key = encodeKey(value);
  assert(key !== null);
  return key;
}

describe('keys', () => {
  test('sort by their bytes as the standard sorts them', () => {
    fc.assert(fc.property(pairs, ([a, b]) => Math.sign(compareKeys(encode(a), encode(b))) === compareByStandard(a, b)), { numRuns: PAIRS });
  });

  test('come back as they were, but for the sign of zero', () => {
    const withoutSign = (key: Key): Key => (Array.isArray(key) ? key.map(withoutSign) : key === 0 ? 0 : key);
    fc.assert(fc.property(keys, (key) => assert.deepStrictEqual(decodeKey(encode(key)), withoutSign(key))), { numRuns: PAIRS / 4 });
  });

  test('of long strings and buffers come back too', () => {
    for (const text of ['x'.repeat(10_000), '\ud800\0é'.repeat(5000), 'é'.repeat(20)]) {
      expect(decodeKey(encode(text))).toBe(text);
      expect(decodeKey(encode([[text], text]))).toStrictEqual([[text], text]);
    }
    const { buffer } = new Uint8Array(100_000).fill(7, 50);
    expect(decodeKey(encode([buffer]))).toStrictEqual([buffer]);
  });

  test('are not NaN, objects, invalid dates, functions, symbols, bigints, booleans or nothing', () => {
    const proxy = new Proxy([1], {});
    for (const value of [NaN, {}, new Date(NaN), () => 1, Symbol('s'), 1n, true, null, undefined, new Number(1), new String('a'), /x/, proxy, new Map()]) {
      expect(encodeKey(value)).toBe(null);
      expect(encodeKey([1, value])).toBe(null);
    }
    expect(encodeKey([1, , 2])).toBe(null);
  });

  test('are no arrays that are met twice', () => {
    const circular: unknown[] = [];
    circular.push(circular);
    expect(encodeKey(circular)).toBe(null);
    const shared = [1];
    expect(encodeKey([shared, shared])).toBe(null);
    expect(encodeKey([[1], [1]])).not.toBe(null);
  });

  test('are of every kind of view, as of its bytes', () => {
    const { buffer } = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);
    const bytes = (value: unknown): number[] => [...new Uint8Array(decodeKey(encode(value)) as ArrayBuffer)];
    expect(bytes(new Uint16Array(buffer, 2, 2))).toStrictEqual([3, 4, 5, 6]);
    expect(bytes(new DataView(buffer, 1, 3))).toStrictEqual([2, 3, 4]);
    expect(bytes(Buffer.from('ab'))).toStrictEqual([97, 98]);
    expect(bytes(new Uint8Array(new SharedArrayBuffer(2)))).toStrictEqual([0, 0]);
    expect(bytes(new ArrayBuffer(0))).toStrictEqual([]);
    expect(bytes(new Float64Array(0))).toStrictEqual([]);
  });

  test('are no buffers that are detached, nor views of such', () => {
    for (const of of [(b: ArrayBuffer) => b, (b: ArrayBuffer) => new Uint8Array(b), (b: ArrayBuffer) => new DataView(b), (b: ArrayBuffer) => new Uint8Array(b, 0, 0)]) {
      const buffer = new ArrayBuffer(8);
      const value = of(buffer);
      structuredClone(buffer, { transfer: [buffer] });
      expect(encodeKey(value)).toBe(null);
      expect(encodeKey([value])).toBe(null);
    }
  });

  test('may be of another realm', () => {
    const foreign: unknown = runInNewContext('[1, new Date(5), new Uint8Array([1]).buffer, new Uint8Array([2]), new DataView(new ArrayBuffer(1)), ["x"]]');
    const own = [1, new Date(5), Uint8Array.of(1).buffer, Uint8Array.of(2), new DataView(new ArrayBuffer(1)), ['x']];
    expect(encodeKey(foreign)).toStrictEqual(encodeKey(own));
  });

  test('pass on what a getter throws', () => {
    const array = [1];
    Object.defineProperty(array, 0, { get: () => assert.fail('mine') });
    expect(() => encodeKey(array)).toThrow('mine');
    expect(() => encodeKey(['a', array])).toThrow('mine');
  });

  test('take the length of an array before its getters run', () => {
    const array: unknown[] = [0, 1];
    Object.defineProperty(array, 0, {
      get: () => {
        array.length = 1;
        return 0;
      },
    });
    expect(encodeKey(array)).toBe(null);
  });

  test('nested as deeply as the stack lets them be written are read', () => {
    let key: unknown[] = [];
    for (let depth = 0; depth < 2000; depth++) key = [key];
    expect(compareKeys(encode(decodeKey(encode(key))), encode(key))).toBe(0);
    for (let depth = 0; depth < 100_000; depth++) key = [key];
    expect(() => encodeKey(key)).toThrow(RangeError);
  });
});

describe('keys of a multi-entry index', () => {
  test('are those of the valid elements, none twice', () => {
    const array: unknown[] = ['a', 1, 'a', {}, -0, 0, [2], [2], undefined];
    Object.defineProperty(array, 1, { get: () => assert.fail('not told') });
    expect(encodeMultiEntryKey(array)?.map(decodeKey)).toStrictEqual(['a', 0, [2]]);
    const shared = [3];
    expect(encodeMultiEntryKey([shared, shared, array.slice(0, 1)])?.map(decodeKey)).toStrictEqual([[3], ['a']]);
  });

  test('are one key for what is no array, and none for what is invalid', () => {
    expect(encodeMultiEntryKey('x')?.map(decodeKey)).toStrictEqual(['x']);
    expect(encodeMultiEntryKey({})).toBe(null);
    expect(encodeMultiEntryKey([])).toStrictEqual([]);
    const array: unknown[] = [];
    array.push(array, 1);
    expect(encodeMultiEntryKey(array)?.map(decodeKey)).toStrictEqual([1]);
  });
});

describe('bytes that are no key', () => {
  const readOrRefuse = (bytes: Uint8Array): unknown => {
    try {
      return decodeKey(bytes);
    } catch (error) {
      assert(error instanceof RecordsDamagedError, String(error));
      return undefined;
    }
  };

  test('are refused, and what is taken has these bytes alone', () => {
    const kinds = fc.constantFrom(0x00, 0x01, 0x10, 0x20, 0x30, 0x40, 0x50, 0x80, 0xed, 0xa0, 0xc0, 0xe0, 0xf0, 0xff, 0x7f);
    const hostile = fc.oneof(fc.uint8Array({ maxLength: 24 }), fc.array(kinds, { maxLength: 16 }).map((bytes) => Uint8Array.from(bytes)));
    fc.assert(fc.property(hostile, (bytes) => {
        const key = readOrRefuse(bytes);
        if (key !== undefined) assert.deepStrictEqual(encodeKey(key), new Uint8Array(bytes));
      }), { numRuns: PAIRS });
  });

  test('are found where a bit of a key has flipped, or its end is missing', () => {
    fc.assert(fc.property(keys, fc.nat(), (key, where) => {
        const bytes = encode(key).slice();
        const at = where % (8 * bytes.length);
        bytes[at >> 3] = (bytes[at >> 3] ?? 0) ^ (1 << (at & 7));
        readOrRefuse(bytes);
        readOrRefuse(encode(key).subarray(0, at >> 3));
      }), { numRuns: PAIRS / 4 });
  });

  test('are refused however deep they nest', () => {
    const deep = new Uint8Array(1_000_000).fill(0x50);
    expect(() => decodeKey(deep)).toThrow(RecordsDamagedError);
    expect(() => decodeKey(new Uint8Array(0))).toThrow(RecordsDamagedError);
  });
});
