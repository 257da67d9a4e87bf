import fc from 'fast-check';
import { expect, test } from 'vitest';
import { entryBlocks, RecordReader, RecordWriter } from '../../src/disk/map/map-records.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { ownUrl } from './temporary-bucket.ts';

/** Any UTF-16 at all, with the lengths and code units at which encodings change over-represented. */
const units = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0x7f, 0x80, 0xff, 0x100, 0xd800, 0xdfff, 0xfeff, 0xffff));
const string = fc.oneof(
  fc.array(units, { maxLength: 60 }).map((codes) => String.fromCharCode(...codes)),
  fc.string({ maxLength: 60 }),
  fc.array(fc.integer({ min: 0, max: 0xff }), { maxLength: 60 }).map((codes) => String.fromCharCode(...codes)),
  fc.integer({ min: 0, max: 40_000 }).map((length) => 'x'.repeat(length)),
  fc.tuple(fc.integer({ min: 0, max: 40_000 }), units).map(([length, unit]) => 'x'.repeat(length) + String.fromCharCode(unit)),
);
const url = fc.oneof(fc.constant(ownUrl), string, string.map((rest) => ownUrl + rest));

test('whatever a change says, it is read as it was written', () => {
  const writer = new RecordWriter();
  const reader = new RecordReader();
  fc.assert(
    fc.property(url, string, string, (writersUrl, key, value) => {
      reader.set(writer.set(ownUrl, writersUrl, key, value));
      expect([reader.url(ownUrl), reader.key, reader.value]).toEqual([writersUrl, key, value]);
      reader.remove(writer.remove(ownUrl, writersUrl, key));
      expect([reader.url(ownUrl), reader.key]).toEqual([writersUrl, key]);
      reader.clear(writer.clear(ownUrl, writersUrl));
      expect(reader.url(ownUrl)).toBe(writersUrl);
    }),
    { numRuns: 1000 },
  );
});

test('strings below code unit 256 take one byte a unit, others two, and the map\'s own url none', () => {
  const writer = new RecordWriter();
  const size = (key: string, value: string, writersUrl = ownUrl) => writer.set(ownUrl, writersUrl, key, value).length;
  expect(size('key', 'value')).toBe(1 + 4 + 6);
  expect(size('k\u00e9y', '\u00ff'.repeat(100))).toBe(1 + 4 + 101);
  expect(size('key', '\u0100'.repeat(50))).toBe(1 + 4 + 101);
  expect(size('key', 'value', `${ownUrl}a`)).toBe(1 + 2 + 4 + 6);
});

test('numbers up to 2^53 - 1 are read as they were written', () => {
  const writer = new RecordWriter();
  const reader = new RecordReader();
  fc.assert(fc.property(fc.maxSafeNat(), (number) => reader.number(writer.number(number)) === number));
  expect(reader.number(writer.number(Number.MAX_SAFE_INTEGER))).toBe(Number.MAX_SAFE_INTEGER);
});

test('blocks of entries hold every entry once, in order', () => {
  const reader = new RecordReader();
  fc.assert(
    fc.property(fc.array(fc.tuple(string, string), { maxLength: 40 }), (entries) => {
      const read: [string, string][] = [];
      for (const block of entryBlocks(new RecordWriter(), entries)) reader.entries(block, (key, value) => read.push([key, value]));
      expect(read).toEqual(entries);
    }),
    { numRuns: 200 },
  );
});

test('a snapshot of many entries comes in blocks, none much larger than its largest entry', () => {
  const entries = Array.from({ length: 5000 }, (_, index): [string, string] => [`key ${index}`, 'v'.repeat(index % 100)]);
  const sizes = [...entryBlocks(new RecordWriter(), entries)].map((block) => block.length);
  expect(sizes.length).toBeGreaterThan(5);
  expect(Math.max(...sizes)).toBeLessThan(2 ** 16);
});

const readers: ((reader: RecordReader, bytes: Uint8Array) => void)[] = [
  (reader, bytes) => reader.set(bytes),
  (reader, bytes) => reader.remove(bytes),
  (reader, bytes) => reader.clear(bytes),
  (reader, bytes) => reader.number(bytes),
  (reader, bytes) => reader.rules(bytes),
  (reader, bytes) => reader.entries(bytes, () => undefined),
];

function expectDamage(read: () => void): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(HoldfastError);
    expect(['journal-damaged', 'unknown-record']).toContain((error as HoldfastError).code);
  }
}

test('hostile bytes are a damaged journal and nothing else', () => {
  const reader = new RecordReader();
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat({ max: readers.length - 1 }), (bytes, which) => {
      expectDamage(() => readers[which]?.(reader, bytes));
    }),
    { numRuns: 20_000 },
  );
});

test('a change that is cut short or has a byte too many is a damaged journal at every length', () => {
  const writer = new RecordWriter();
  const reader = new RecordReader();
  const whole = Uint8Array.from(writer.set(ownUrl, 'https://other.example/', 'a key', '\u1234 a value'));
  for (let length = 0; length < whole.length; length++) {
    expect(() => reader.set(whole.subarray(0, length)), `${length} bytes`).toThrow(HoldfastError);
  }
  expect(() => reader.set(Uint8Array.from([...whole, 0]))).toThrow(/left over/);
  reader.set(whole);
  expect(reader.value).toBe('\u1234 a value');
});

test('one changed byte of a change never gives anything but a change or a damaged journal', () => {
  const writer = new RecordWriter();
  const reader = new RecordReader();
  const whole = Uint8Array.from(writer.set(ownUrl, 'https://other.example/', 'a key', '\u1234 a value'));
  for (let at = 0; at < whole.length; at++) {
    for (let byte = 0; byte < 256; byte++) {
      const hostile = Uint8Array.from(whole);
      hostile[at] = byte;
      expectDamage(() => reader.set(hostile));
    }
  }
});
