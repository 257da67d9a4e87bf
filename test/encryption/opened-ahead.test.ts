import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AesSiv, SIV_BYTES } from '../../src/disk/encryption/aes-siv.ts';
import { OpenedAhead } from '../../src/disk/encryption/opened-ahead.ts';
import { encodeFrame, FRAME_OVERHEAD, HEADER_BYTES } from '../../src/disk/journal/frame.ts';
import { Magic } from '../../src/disk/journal/magic.ts';

const siv = new AesSiv(randomBytes(64));
const magic = Magic.random();

/** Frames in one memory, one behind the other, and what is sealed in each. */
function memoryOf(lengths: readonly number[]): { readonly memory: Uint8Array; readonly records: { readonly at: number; readonly plain: Buffer }[] } {
  const memory = new Uint8Array(lengths.reduce((sum, length) => sum + length + SIV_BYTES + FRAME_OVERHEAD, 100));
  const records: { at: number; plain: Buffer }[] = [];
  let end = 0;
  for (const [index, length] of lengths.entries()) {
    const plain = randomBytes(length);
    const payload = new Uint8Array(length + SIV_BYTES);
    siv.seal(plain, payload, 0);
    records.push({ at: end + HEADER_BYTES, plain });
    end = encodeFrame(memory, end, magic, { kind: 1, session: 1, sequence: index + 1, payload });
  }
  return { memory, records };
}

function opens(ahead: OpenedAhead, memory: Uint8Array, at: number, plain: Buffer): boolean {
  const sealed = memory.subarray(at, at + plain.length + SIV_BYTES);
  const known = ahead.of(sealed);
  if (known !== null) return plain.equals(known);
  const out = new Uint8Array(plain.length);
  return siv.open(sealed, out) && plain.equals(out);
}

const lengths = fc.array(fc.oneof(fc.nat(80), fc.nat(80), fc.constantFrom(0, 15, 16, 17, 4080, 4096, 5000, 17_000)), { minLength: 1, maxLength: 150 });

test('records that are opened one after the other are what was sealed', () => {
  fc.assert(
    fc.property(lengths, (all) => {
      const { memory, records } = memoryOf(all);
      const ahead = new OpenedAhead(siv);
      return records.every(({ at, plain }) => opens(ahead, memory, at, plain));
    }),
    { numRuns: 60 },
  );
});

test('neither another order, nor other bytes in the place of those that were looked at, change what opens', () => {
  fc.assert(
    fc.property(lengths, fc.array(fc.tuple(fc.nat(), fc.boolean()), { minLength: 1, maxLength: 60 }), (all, jumps) => {
      const { memory, records } = memoryOf(all);
      const others = records.map(({ at, plain }) => {
        const payload = new Uint8Array(plain.length + SIV_BYTES);
        const other = randomBytes(plain.length);
        siv.seal(other, payload, 0);
        return { at, plain: other, payload };
      });
      const ahead = new OpenedAhead(siv);
      for (const [jump, isOverwritten] of jumps) {
        for (let index = jump % records.length; index < Math.min(records.length, (jump % records.length) + 9); index += 1) {
          const [record, other] = [records[index], others[index]];
          if (record === undefined || other === undefined) continue;
          if (isOverwritten && index % 3 === 2) {
            memory.set(other.payload, other.at);
            records[index] = { at: other.at, plain: other.plain };
          }
          const { at, plain } = records[index] ?? record;
          if (!opens(ahead, memory, at, plain)) return false;
        }
      }
      return true;
    }),
    { numRuns: 60 },
  );
});

test('what was changed does not open, whoever has looked at it before', () => {
  const { memory, records } = memoryOf(Array.from({ length: 40 }, (_, index) => 20 + index));
  const ahead = new OpenedAhead(siv);
  for (const [index, { at, plain }] of records.entries()) {
    const place = at + (index * 7) % (plain.length + SIV_BYTES);
    if (index % 2 === 1) memory[place] = (memory[place] ?? 0) ^ 1;
    expect(opens(ahead, memory, at, plain), `record ${index}`).toBe(index % 2 === 0);
  }
});

test('what two journals have opened ahead is not taken for one another', () => {
  const [one, other] = [memoryOf(new Array<number>(90).fill(30)), memoryOf(new Array<number>(90).fill(30))];
  const [ofOne, ofOther] = [new OpenedAhead(siv), new OpenedAhead(siv)];
  for (const [index, { at, plain }] of one.records.entries()) {
    expect(opens(ofOne, one.memory, at, plain)).toBe(true);
    const met = other.records[index];
    if (met !== undefined && index % 30 < 20) expect(opens(ofOther, other.memory, met.at, met.plain)).toBe(true);
  }
});

test.each([[37, 37], [20_000, 37]])('many are opened at once, where they follow one another, the first of %i bytes', (first, length) => {
  const { memory, records } = memoryOf([first, first, ...new Array<number>(1000).fill(length)]);
  const places: number[] = [];
  const counting = Object.assign(Object.create(siv) as AesSiv, {
    openSeveral: (...given: Parameters<AesSiv['openSeveral']>) => {
      places.push(given[1].length);
      return siv.openSeveral(...given);
    },
  });
  const ahead = new OpenedAhead(counting);
  for (const { at, plain } of records) expect(opens(ahead, memory, at, plain)).toBe(true);
  expect(places.length).toBeLessThan(20);
  expect(places.reduce((sum, count) => sum + count, 0)).toBeGreaterThan(995);
});
