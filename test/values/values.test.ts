import assert from 'node:assert';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PlatformObjects } from '../../src/disk/values/platform-objects.ts';
import { readValue } from '../../src/disk/values/read-value.ts';
import { writeValue } from '../../src/disk/values/write-value.ts';
import { ValueDamagedError } from '../../src/disk/values/value-error.ts';

const clone = (value: unknown, platform?: PlatformObjects): unknown => readValue(writeValue(value, platform), platform);

const names = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('__proto__', 'constructor', 'length', '0', '\ud800', 'toString'));

/** Values as programs store them, with objects that are met twice. */
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom(undefined, null, true, false, 0, -0, NaN, Infinity, -1, 2 ** 31, -(2 ** 31), 2 ** 32, 0.1),
    fc.integer(),
    fc.double(),
    fc.bigInt(),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.date({ noInvalidDate: true }),
    fc.uint8Array(),
    fc.float64Array(),
    fc.array(fc.double(), { minLength: 14, maxLength: 20 }),
    fc.constantFrom(/a\/b/giu, new Boolean(false), new Number(-0), new String('\udc00'), Object(5n)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(names, tie('value'), { maxKeys: 5, noNullPrototype: true }),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('value'), { maxLength: 4 }).map((members) => new Set(members)),
    tie('value').map((shared) => ({ once: shared, twice: shared, list: [shared] })),
  ),
})).value;

describe('a value that is written and read', () => {
  test('is what the runtime makes of it by structuredClone', () => {
    fc.assert(fc.property(values, (value) => {
        assert.deepStrictEqual(clone(value), structuredClone(value));
      }), { numRuns: 2000 });
  });

  test('may be a date that is none', () => {
    expect((clone(new Date(NaN)) as Date).getTime()).toBeNaN();
  });

  test('keeps identity and cycles', () => {
    const inner = { n: 1 };
    const value: Record<string, unknown> = { inner, again: inner, list: [inner], map: new Map([[inner, inner]]) };
    value['self'] = value;
    const copy = clone(value) as typeof value & { list: unknown[]; map: Map<unknown, unknown> };
    expect(copy['self']).toBe(copy);
    expect(copy['again']).toBe(copy['inner']);
    expect(copy.list[0]).toBe(copy['inner']);
    expect(copy.map.get(copy['inner'])).toBe(copy['inner']);
  });

  test('refuses objects of classes that the runtime loads at their first touch', async () => {
    const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 128 }, true, ['encrypt']);
    expect(() => writeValue({ key })).toThrow('A CryptoKey could not be cloned.');
  });

  test('keeps holes, names and lengths of arrays', () => {
    const list: unknown[] & { name?: string } = [1, , 3];
    list.length = 2 ** 32 - 1;
    list.name = 'list';
    const copy = clone(list) as typeof list;
    expect([copy.length, Object.keys(copy), copy[2], copy.name]).toEqual([2 ** 32 - 1, ['0', '2', 'name'], 3, 'list']);
  });

  test('shares buffers among views as before', () => {
    const buffer = new ArrayBuffer(16);
    const [bytes, view] = clone([new Uint8Array(buffer, 4, 8), new DataView(buffer, 8)]) as [Uint8Array, DataView];
    expect([bytes.byteOffset, bytes.length, view.byteOffset, view.byteLength]).toEqual([4, 8, 8, 8]);
    expect(view.buffer).toBe(bytes.buffer);
    bytes[4] = 7;
    expect(view.getUint8(0)).toBe(7);
  });

  test('keeps what an error says', () => {
    const error = new RangeError('out', { cause: { why: 1 } });
    const copy = clone(error) as RangeError;
    expect(copy).toBeInstanceOf(RangeError);
    expect([copy.message, copy.stack, copy.cause]).toEqual(['out', error.stack, { why: 1 }]);
    expect(Object.keys(copy)).toEqual([]);
    expect((clone(Object.assign(new Error('x'), { name: 'Own' })) as Error).name).toBe('Error');
  });

  test('of another realm becomes one of this', () => {
    const value: unknown = runInNewContext('({ map: new Map([[1, new Date(5)]]), bytes: new Uint8Array([1, 2]), error: new TypeError("t"), list: [1, { a: /x/g }] })');
    const copy = clone(value) as { map: Map<number, Date>; bytes: Uint8Array; error: Error; list: [number, { a: RegExp }] };
    expect(copy.map.get(1)).toEqual(new Date(5));
    expect(copy.bytes).toEqual(new Uint8Array([1, 2]));
    expect(copy.error).toBeInstanceOf(TypeError);
    expect(copy.list[1].a).toEqual(/x/g);
  });

  test('runs getters once, in order, and does without what they take away', () => {
    const seen: string[] = [];
    const value = {
      get a() {
        seen.push('a');
        Reflect.deleteProperty(value, 'b');
        return 1;
      },
      b: 2,
      get c() {
        seen.push('c');
        return 3;
      },
    };
    expect(clone(value)).toEqual({ a: 1, c: 3 });
    expect(seen).toEqual(['a', 'c']);
  });

  test('may be written while another is', () => {
    let inner: unknown;
    const outer = {
      text: 'x'.repeat(1000),
      get nested() {
        return (inner = clone({ deep: 'y'.repeat(1000) }));
      },
    };
    expect(clone(outer)).toEqual({ text: 'x'.repeat(1000), nested: { deep: 'y'.repeat(1000) } });
    expect(inner).toEqual({ deep: 'y'.repeat(1000) });
  });
});

describe('what cannot be cloned', () => {
  const detached = new Uint8Array(8);
  structuredClone(detached.buffer, { transfer: [detached.buffer] });
  const cases: Record<string, unknown> = {
    function: () => 1,
    symbol: Symbol('s'),
    'Symbol object': Object(Symbol('s')),
    promise: Promise.resolve(),
    WeakMap: new WeakMap(),
    WeakRef: new WeakRef({}),
    proxy: new Proxy({}, {}),
    generator: (function* () {})(),
    'map iterator': new Map().keys(),
    arguments: runInNewContext('(function () { return arguments; })(1)'),
    SharedArrayBuffer: new SharedArrayBuffer(8),
    'view of a SharedArrayBuffer': new Uint8Array(new SharedArrayBuffer(8)),
    'detached buffer': detached.buffer,
    'detached view': detached,
    URL: new URL('https://a.example'),
    Blob: new Blob(['x']),
    'in a map': new Map([[1, () => 1]]),
  };
  test.each(Object.entries(cases))('%s is refused', (_name, value) => {
    expect(() => writeValue({ value })).toThrow(/could not be cloned/);
  });

  test('what a getter throws passes through', () => {
    const failure = new Error('mine');
    expect(() => writeValue({ get x(): never { throw failure; } })).toThrow(failure);
  });

  test('what is nested too deeply is a RangeError, and the next value is written as ever', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 100_000; level++) deep = [deep];
    expect(() => writeValue(deep)).toThrow(RangeError);
    expect(clone([1, 'a'])).toEqual([1, 'a']);
  });
});

test('platform objects are what their steps make of them, and may refer to each other through the value', () => {
  class Handle {
    readonly name: string;
    constructor(name: string) {
      this.name = name;
    }
  }
  const platform: PlatformObjects = {
    serialize: (value) => ('name' in value && typeof value.name === 'string' && Object.getPrototypeOf(value) === Handle.prototype ? { kind: 9, data: { name: value.name } } : null),
    deserialize: ({ kind, data }) => {
      if (kind !== 9) throw new ValueDamagedError('unknown');
      return new Handle((data as { name: string }).name);
    },
  };
  const handle = new Handle('h');
  const copy = clone({ first: handle, then: [handle], plain: { x: 1 } }, platform) as { first: Handle; then: [Handle]; plain: object };
  expect(copy.first).toEqual(handle);
  expect(copy.then[0]).toBe(copy.first);
  expect(copy.plain).toEqual({ x: 1 });
});

describe('hostile bytes', () => {
  test('of any kind are a value or damaged, and nothing else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readValue(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ValueDamagedError);
        }
      }),
      { numRuns: 5000 },
    );
  });

  test('in the place of good ones are a value or damaged, and nothing else', () => {
    fc.assert(
      fc.property(values, fc.nat(), fc.nat(255), (value, at, byte) => {
        const bytes = writeValue(value);
        bytes[at % bytes.length] = byte;
        try {
          readValue(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(ValueDamagedError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('that nest without end are damaged', () => {
    expect(() => readValue(new Uint8Array(2_000_000).fill(18))).toThrow(ValueDamagedError);
    const lists = new Uint8Array(300_000);
    for (let at = 0; at < lists.length; at += 3) lists.set([18, 1, 1], at);
    expect(() => readValue(lists)).toThrow(ValueDamagedError);
  });

  test('that are cut short are damaged', () => {
    const bytes = writeValue({ list: [1, 'two', new Map([[{}, /r/g]])], error: new Error('e'), view: new Float64Array(3) });
    for (let length = 0; length < bytes.length; length++) expect(() => readValue(bytes.subarray(0, length))).toThrow(ValueDamagedError);
  });
});
