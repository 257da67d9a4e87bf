import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AesSiv, SIV_BYTES } from '../../src/disk/encryption/aes-siv.ts';
import { KeyStreams } from '../../src/disk/encryption/key-streams.ts';
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

function opens(streams: KeyStreams, memory: Uint8Array, at: number, plain: Buffer): boolean {
  const sealed = memory.subarray(at, at + plain.length + SIV_BYTES);
  const out = new Uint8Array(plain.length);
  return siv.open(sealed, out, [], streams.of(sealed)) && plain.equals(out);
}

const lengths = fc.array(fc.oneof(fc.nat(80), fc.nat(80), fc.constantFrom(0, 15, 16, 17, 4080, 4096, 5000)), { minLength: 1, maxLength: 150 });

test('records that are opened one after the other are what was sealed', () => {
  fc.assert(
    fc.property(lengths, (all) => {
      const { memory, records } = memoryOf(all);
      const streams = new KeyStreams(siv);
      return records.every(({ at, plain }) => opens(streams, memory, at, plain));
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
      const streams = new KeyStreams(siv);
      for (const [jump, isOverwritten] of jumps) {
        for (let index = jump % records.length; index < Math.min(records.length, (jump % records.length) + 9); index += 1) {
          const [record, other] = [records[index], others[index]];
          if (record === undefined || other === undefined) continue;
          if (isOverwritten && index % 3 === 2) {
            memory.set(other.payload, other.at);
            records[index] = { at: other.at, plain: other.plain };
          }
          const { at, plain } = records[index] ?? record;
          if (!opens(streams, memory, at, plain)) return false;
        }
      }
      return true;
    }),
    { numRuns: 60 },
  );
});

test('what was changed does not open, whoever has looked at it before', () => {
  const { memory, records } = memoryOf(Array.from({ length: 40 }, (_, index) => 20 + index));
  const streams = new KeyStreams(siv);
  for (const [index, { at, plain }] of records.entries()) {
    const place = at + (index * 7) % (plain.length + SIV_BYTES);
    if (index % 2 === 1) memory[place] = (memory[place] ?? 0) ^ 1;
    expect(opens(streams, memory, at, plain), `record ${index}`).toBe(index % 2 === 0);
  }
});

test('a stream is made for many at once, where they follow one another', () => {
  const { memory, records } = memoryOf(new Array<number>(1000).fill(37));
  let calls = 0;
  const counting = Object.assign(Object.create(siv) as AesSiv, {
    keyStream: (...given: Parameters<AesSiv['keyStream']>) => {
      calls += 1;
      return siv.keyStream(...given);
    },
  });
  const streams = new KeyStreams(counting);
  for (const { at, plain } of records) expect(opens(streams, memory, at, plain)).toBe(true);
  expect(calls).toBeLessThan(30);
});
