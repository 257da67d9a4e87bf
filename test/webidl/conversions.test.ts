import { describe, expect, it } from 'vitest';
import { allowSharedBufferSource, bytesOf } from '../../src/webidl/buffers.ts';
import { dictionary, DOMString, enumeration, nullable, unsignedLong, USVString } from '../../src/webidl/conversions.ts';
import { enforcedUnsignedLongLong, unsignedLongLong } from '../../src/webidl/integers.ts';

const where = "Failed to execute 'x' on 'Y': parameter 1";

describe('conversions', () => {
  it('keeps lone surrogates in a DOMString and replaces them in a USVString', () => {
    expect(DOMString('a\ud800b', where)).toBe('a\ud800b');
    expect(USVString('a\ud800b\udc00\ud83d\ude00', where)).toBe('a\ufffdb\ufffd\ud83d\ude00');
  });

  it('refuses symbols as strings and numbers, naming the parameter', () => {
    expect(() => DOMString(Symbol('s'), where)).toThrow(/parameter 1 is a symbol/);
    expect(() => unsignedLong(Symbol('s'), where)).toThrow(TypeError);
    expect(() => unsignedLongLong(1n, where)).toThrow(TypeError);
  });

  it.each([
    [-1, 4294967295],
    [4294967296.7, 0],
    [Number.NaN, 0],
    ['3', 3],
  ])('takes an unsigned long modulo 2^32: %s', (given, wanted) => {
    expect(unsignedLong(given, where)).toBe(wanted);
  });

  it.each([
    [-1, 2 ** 64],
    [-0.5, 0],
    [2 ** 64, 0],
    [Number.POSITIVE_INFINITY, 0],
    [Number.NaN, 0],
    [2 ** 53 - 1, 2 ** 53 - 1],
    [null, 0],
  ])('takes an unsigned long long modulo 2^64: %s', (given, wanted) => {
    expect(unsignedLongLong(given, where)).toBe(wanted);
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('enforces the range of an offset: %s', (given) => {
    expect(() => enforcedUnsignedLongLong(given, where)).toThrow(TypeError);
  });

  it('truncates fractions within an enforced range', () => {
    expect(enforcedUnsignedLongLong(1.9, where)).toBe(1);
    expect(Object.is(enforcedUnsignedLongLong(-0.5, where), 0)).toBe(true);
  });

  it('reads the members of a dictionary in order, once, and applies defaults', () => {
    const read: string[] = [];
    const convert = dictionary<{ a?: number; b: string; c: boolean }>({
      a: { convert: unsignedLong },
      b: { convert: DOMString, required: true },
      c: { convert: Boolean, default: true },
    });
    const source = new Proxy({ b: 'x' }, { get: (target, key) => (read.push(String(key)), Reflect.get(target, key)) });
    expect(convert(source, where)).toEqual({ b: 'x', c: true });
    expect(read).toEqual(['a', 'b', 'c']);
    expect(() => convert(undefined, where)).toThrow(/required member 'b'/);
    expect(() => convert('text', where)).toThrow(/not an object/);
  });

  it('checks enumerations and nullable values', () => {
    const mode = enumeration('LockMode', ['shared', 'exclusive']);
    expect(mode('shared', where)).toBe('shared');
    expect(() => mode('both', where)).toThrow(/'both' is not a valid value of LockMode/);
    expect(nullable(DOMString)(undefined, where)).toBeNull();
  });

  it('views buffers without a copy, shared ones too', () => {
    const buffer = new ArrayBuffer(8);
    const view = bytesOf(allowSharedBufferSource(new DataView(buffer, 2, 4), where));
    view[0] = 7;
    expect(new Uint8Array(buffer)[2]).toBe(7);
    expect(bytesOf(allowSharedBufferSource(new SharedArrayBuffer(3), where)).byteLength).toBe(3);
    expect(() => allowSharedBufferSource('text', where)).toThrow(TypeError);
  });

  it.each([
    ['an ArrayBuffer', (buffer: ArrayBuffer) => buffer],
    ['a typed array', (buffer: ArrayBuffer) => new Uint16Array(buffer, 2, 2)],
    ['bytes', (buffer: ArrayBuffer) => new Uint8Array(buffer, 2)],
    ['a DataView', (buffer: ArrayBuffer) => new DataView(buffer, 2)],
  ])('finds no bytes in %s that is detached, also after its conversion', (_, make) => {
    const buffer = new ArrayBuffer(8);
    const before = allowSharedBufferSource(make(buffer), where);
    structuredClone(buffer, { transfer: [buffer] });
    expect(bytesOf(before).byteLength).toBe(0);
    expect(bytesOf(allowSharedBufferSource(before, where)).byteLength).toBe(0);
  });

  it('refuses buffers whose length can change, and views of them', () => {
    const resizable: ArrayBuffer = Reflect.construct(ArrayBuffer, [8, { maxByteLength: 16 }]);
    const growable: SharedArrayBuffer = Reflect.construct(SharedArrayBuffer, [8, { maxByteLength: 16 }]);
    for (const buffer of [resizable, growable]) {
      for (const source of [buffer, new Uint8Array(buffer), new DataView(buffer, 2, 4)]) {
        expect(() => allowSharedBufferSource(source, where)).toThrow(TypeError);
      }
    }
  });
});
