import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { MapModel } from '../../src/disk/map/map-model.ts';
import { RecordWriter, REMOVE, SET } from '../../src/disk/map/map-records.ts';
import type { Batch } from '../../src/disk/replica/batch.ts';
import { ByteWriter } from '../../src/disk/replica/byte-writer.ts';
import { chains, NO_CHAIN } from '../../src/disk/replica/chain.ts';
import { writeOperation } from '../../src/disk/replica/operation.ts';
import type { Operation } from '../../src/disk/replica/operation.ts';
import { Replica } from '../../src/disk/replica/replica.ts';
import { incarnationOf } from './replica-region.ts';

const records = new RecordWriter();
const SHARED = incarnationOf(1);
const ANEW = incarnationOf(2);

const operation = (sequence: number, kind: number, payload: Uint8Array): Operation => ({ session: 77, sequence, kind, payload: Uint8Array.from(payload) });
const set = (sequence: number, key: string, value: string): Operation => operation(sequence, SET, records.set('', '', key, value));
const remove = (sequence: number, key: string): Operation => operation(sequence, REMOVE, records.remove('', '', key));

function batchOf(incarnation: string, first: number, previous: string, operations: readonly Operation[]): Batch {
  return { incarnation, region: 'r', first, previous, base: 0, chained: true, operations };
}

/** Which operations had their turn, and whether as echoes. */
function receive(replica: Replica, batch: Batch): [number, boolean][] {
  const position = replica.position + 1;
  const applied = replica.entry({ epoch: 'e', position, digest: new Uint8Array(32).fill(position), batch });
  return (applied ?? []).map(({ operation: { sequence }, own }) => [sequence, own]);
}

test('two copies of a machine that do the same again after they did different things have two histories', () => {
  const one = set(1, 'a', '1');
  const [ofA, ofB] = [set(2, 'who', 'copy A'), set(2, 'who', 'copy B')];
  const alike = remove(3, 'z');
  const once = set(4, 'count', 'once');
  const copyB = new Replica(new MapModel());
  copyB.replicate({ incarnation: SHARED, region: 'r', cap: 1e9 }, 1);
  for (const each of [one, ofB, alike, once]) copyB.local(each);
  expect(receive(copyB, batchOf(SHARED, 1, NO_CHAIN, [one, ofA, alike]))).toEqual([[1, true], [2, false], [3, false]]);
  expect([copyB.diverged, Array.from(copyB.pending, ({ operation: { sequence } }) => sequence)]).toEqual([true, [2, 3, 4]]);
  copyB.incarnate(ANEW);
  // What copy B had sent under the old numbers comes late: no part of it may have a turn, or it has two.
  expect(receive(copyB, batchOf(SHARED, 1, NO_CHAIN, [one, ofB, alike, once]))).toEqual([]);
  expect(receive(copyB, batchOf(ANEW, 1, NO_CHAIN, [ofB, alike, once]))).toEqual([[2, true], [3, true], [4, true]]);
});

test('a chain is what the written format says', () => {
  const { session, sequence, kind, payload } = set(3, 'k', 'v');
  const encoded = new ByteWriter();
  writeOperation(encoded, { session, sequence, kind, payload });
  const before = 'ab'.repeat(16);
  const expected = createHash('sha256').update(before, 'hex').update(encoded.finish()).digest('hex').slice(0, 32);
  expect(chains.after(before, { session, sequence, kind, payload })).toBe(expected);
});
