import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MapModel } from '../../src/disk/map/map-model.ts';
import { RecordWriter, SET } from '../../src/disk/map/map-records.ts';
import { decodeBatch } from '../../src/disk/replica/batch.ts';
import { chains, NO_CHAIN } from '../../src/disk/replica/chain.ts';
import { encodeBatch } from '../../src/disk/replica/encode-batch.ts';
import { Replica } from '../../src/disk/replica/replica.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { decodeChange, encodeChange } from '../../src/sync/files/change.ts';
import { FilesModel } from '../../src/sync/files/files-model.ts';
import { checkedHead } from '../../src/sync/replicator/follower.ts';
import { baseOf, examineBase, seal, unseal } from '../../src/sync/replicator/snapshot-seal.ts';
import { decodeWire, MOST_PAYLOAD_BYTES, Wire } from '../../src/sync/replicator/wire.ts';
import { MEMORY_CAPABILITIES } from '../support/memory-hub.ts';

const INCARNATION = '01890000-0000-7000-8000-000000000001';
const operations = ['1', 'x'.repeat(70_000)].map((value, index) => ({ session: 5, sequence: index + 1, kind: SET, payload: Uint8Array.from(new RecordWriter().set('', '', 'k', value)) }));
const batch = { incarnation: INCARNATION, region: 'r', first: 1, previous: NO_CHAIN, base: 3, chained: true, operations };
const place = { position: 3, digest: new Uint8Array(32).fill(1) };
const manifest = { size: 1, lastModified: 5, chunks: new Uint8Array(32) };

function mapBase(): Uint8Array {
  const replica = new Replica(new MapModel());
  replica.replicate({ incarnation: INCARNATION, region: 'r', cap: 1e6 }, 1);
  replica.entry({ epoch: 'e', position: 1, digest: new Uint8Array(32), batch: { ...batch, base: 0 } });
  return Uint8Array.from(baseOf(replica, 'e'));
}

/** What a peer may send, and what reads it. */
const DECODERS: readonly [string, Uint8Array, (bytes: Uint8Array) => unknown][] = [
  ['an entry', new Wire(MEMORY_CAPABILITIES, 'r').encode(batch, place).bytes, decodeWire],
  ['a batch', encodeBatch(batch), decodeBatch],
  ['a base of a map', mapBase(), (bytes) => examineBase(bytes, new MapModel())],
  ['a snapshot', seal(mapBase()), unseal],
  ['a change of files', encodeChange({ region: 'r', steps: [{ type: 'file', locator: ['d', 'f'], expected: { session: 1, sequence: 2 }, manifest }, { type: 'directory', locator: ['e'] }] }), decodeChange],
  ['a base of files', mapBase(), (bytes) => examineBase(bytes, new FilesModel())],
];

/** Bytes anywhere in it are others, it ends early, or goes on. */
const damage = fc.record({
  changes: fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })), { maxLength: 4 }),
  cut: fc.option(fc.nat(), { nil: null }),
  more: fc.uint8Array({ maxLength: 8 }),
});

function damaged(bytes: Uint8Array, { changes, cut, more }: typeof damage extends fc.Arbitrary<infer T> ? T : never): Uint8Array {
  const copy = Buffer.concat([bytes.subarray(0, cut === null ? bytes.length : cut % (bytes.length + 1)), more]);
  for (const [at, value] of changes) if (copy.length > 0) copy[at % Math.min(copy.length, 200)] = value;
  return copy;
}

function isHandled(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    expect(error).toBeInstanceOf(HoldfastError);
    expect(['hub-damaged', 'hub-incompatible', 'unknown-record']).toContain((error as HoldfastError).code);
  }
}

describe.each(DECODERS)('%s from a peer', (_what, valid, decode) => {
  test('is read, or is damaged: whatever bytes it has', () => {
    fc.assert(fc.property(damage, (how) => isHandled(() => decode(damaged(valid, how)))), { numRuns: 400 });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => isHandled(() => decode(bytes))), { numRuns: 400 });
  });
});

test('an entry of newer code is known by its check, and anything else is nonsense', () => {
  const { bytes } = new Wire(MEMORY_CAPABILITIES, 'r').encode(batch, place);
  const newer = Uint8Array.from(bytes);
  newer[0] = 4;
  expect(() => decodeWire(newer)).toThrow(expect.objectContaining({ code: 'hub-damaged' }) as Error);
  expect(() => decodeWire(Uint8Array.of(7))).toThrow(expect.objectContaining({ code: 'hub-damaged' }) as Error);
});

test('an entry is read as it was written, with the place of its sender', () => {
  const { bytes } = new Wire(MEMORY_CAPABILITIES, 'r').encode(batch, place);
  expect(decodeWire(bytes)).toMatchObject({ incarnation: INCARNATION, first: 1, previous: NO_CHAIN, base: 3, chained: true });
  expect(MOST_PAYLOAD_BYTES).toBe(64 * 2 ** 20);
  expect(chains.after(NO_CHAIN, operations[0] ?? { session: 0, sequence: 0, kind: 0, payload: new Uint8Array(0) })).toMatch(/^[0-9a-f]{32}$/);
});

test.each([
  { epoch: 'e', position: NaN, first: 1 },
  { epoch: 'e', position: Infinity, first: 1 },
  { epoch: 'e', position: -1, first: 1 },
  { epoch: 'e', position: 3, first: 5 },
  { epoch: 'e', position: 3, first: 0 },
  { epoch: '', position: 3, first: 1 },
  { epoch: 'e'.repeat(2000), position: 3, first: 1 },
])('a head that no log can have is damaged (%j)', (head) => {
  expect(() => checkedHead(head)).toThrow(HoldfastError);
});
