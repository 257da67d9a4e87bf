import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { decodeBody, decodeIds, decodeObject, decodeState, encodeBatch, encodeObject, encodeState, MAX_ENTRIES } from '../../src/sync/hubs/nats/message.ts';
import { bytesIn, countIn, entriesIn, headIn, headsIn, nameIn, snapshotIn, type Row } from '../../src/sync/hubs/postgres/rows.ts';

/*
 * Whoever may publish to a subject, or write to a table, can have put anything there.
 */

/** What is read has sensible numbers; anything else is damaged, or of newer code. */
function isHandled(read: () => unknown): void {
  try {
    expectSense(read());
  } catch (error) {
    expect(error).toBeInstanceOf(HoldfastError);
    expect(['hub-damaged', 'hub-incompatible']).toContain((error as HoldfastError).code);
  }
}

function expectSense(value: unknown): void {
  if (typeof value === 'number') expect(Number.isSafeInteger(value) && value >= 0).toBe(true);
  else if (Array.isArray(value)) value.forEach(expectSense);
  else if (typeof value === 'object' && value !== null && !(value instanceof Uint8Array)) Object.values(value).forEach(expectSense);
  else expect(value === null || typeof value === 'string' || value instanceof Uint8Array, String(value)).toBe(true);
}

const number = fc.oneof(fc.integer({ min: -2, max: 70_000 }), fc.constantFrom(2 ** 53, -0, 1.5, NaN, Infinity), fc.maxSafeInteger());

describe('of a message in a NATS stream', () => {
  const word = fc.oneof(number.map(String), fc.constantFrom('', '1', '2', '0x1', '1e3', ' ', '\0'), fc.string({ maxLength: 5 }));
  const header = fc.oneof(fc.array(word, { maxLength: 6 }).map((words) => words.join(' ')), fc.string({ maxLength: 40 }));

  test('the state is read, or it is damaged', () => {
    fc.assert(fc.property(header, (text) => isHandled(() => decodeState(text))), { numRuns: 1000 });
    const possible = fc.tuple(number, number, number).map(([position, count, trimmed]) => encodeState({ position, count, trimmed }));
    fc.assert(fc.property(possible, (text) => isHandled(() => decodeState(text))), { numRuns: 1000 });
  });

  test('the ids are read, or they are damaged', () => {
    const part = fc.oneof(fc.tuple(number, fc.string({ maxLength: 70 })).map(([shared, rest]) => `${shared}:${rest}`), fc.string({ maxLength: 9 }));
    const ids = fc.array(part, { maxLength: 8 }).map((parts) => parts.join(','));
    fc.assert(fc.property(fc.oneof(ids, fc.string()), (text) => isHandled(() => decodeIds(text))), { numRuns: 1000 });
  });

  test('the entries are read, or they are damaged', () => {
    const batch = encodeBatch([{ id: 'a.1', bytes: new Uint8Array(3) }, { id: 'a.2', bytes: new Uint8Array(0) }]);
    const change = fc.record({ cut: fc.nat({ max: 40 }), at: fc.nat({ max: 15 }), value: fc.integer({ min: 0, max: 255 }), count: fc.integer({ min: 0, max: 4 }) });
    const read = (body: Uint8Array, count: number) => decodeBody(body, { position: 9, count, trimmed: 0 });
    const property = fc.property(change, ({ cut, at, value, count }) => {
      const body = Uint8Array.from(batch.body).subarray(0, cut);
      if (at < body.length) body[at] = value;
      isHandled(() => read(body, count));
      const object = Uint8Array.from(encodeObject(batch)).subarray(0, cut);
      if (at < object.length) object[at] = value;
      isHandled(() => [decodeIds(decodeObject(object).ids), read(decodeObject(object).body, count)]);
    });
    fc.assert(property, { numRuns: 1000 });
  });

  test('no more entries are read than it may have, however small they are', () => {
    expect(() => decodeState(`1 ${2 ** 40} ${MAX_ENTRIES + 1} 0`)).toThrow(HoldfastError);
    // Each entry of none bytes is four here, and would be a hundred in memory.
    const body = new Uint8Array(4 * 2 ** 22);
    const taken = vi.spyOn(Buffer.prototype, 'subarray');
    expect(() => decodeBody(body, { position: 5, count: 5, trimmed: 0 })).toThrow(/something else than 5 entries/);
    expect(taken).toHaveBeenCalledTimes(5);
    taken.mockRestore();
  });
});

describe('of the rows of a PostgreSQL', () => {
  const value = fc.oneof(number, fc.string(), fc.constantFrom(null, undefined, true, 'e', 'AAEC', '=='), fc.object({ maxDepth: 1 }));
  const row: fc.Arbitrary<Row> = fc.record({ epoch: value, head: value, trimmed: value, position: value, bytes: value, name: value, removed: value, heads: value }, { requiredKeys: [] });
  const readers: readonly (readonly [string, (row: Row) => unknown])[] = [
    ['a head', headIn],
    ['entries', (each) => entriesIn([each, each])],
    ['no entries', () => entriesIn([])],
    ['a snapshot', snapshotIn],
    ['bytes', bytesIn],
    ['a name', nameIn],
    ['a count', countIn],
    ['the positions of several logs', (each) => headsIn(each, 2)],
  ];

  test.each(readers)('%s is read, or damaged', (_what, read) => {
    fc.assert(fc.property(row, (each) => isHandled(() => read(each))), { numRuns: 1000 });
  });

  test('what makes sense is read', () => {
    expect(headIn({ epoch: 'e', head: 4, trimmed: 1 })).toEqual({ epoch: 'e', position: 4, first: 2 });
    expect(entriesIn([{ head: 4, trimmed: 1, position: 2, bytes: 'AAEC' }]).entries).toEqual([{ position: 2, bytes: Buffer.from([0, 1, 2]) }]);
    expect(entriesIn([{ head: 4, trimmed: 1, position: null, bytes: null }])).toEqual({ head: 4, trimmed: 1, entries: [] });
    expect(headsIn({ heads: '3 0' }, 2)).toEqual([3, 0]);
  });
});
