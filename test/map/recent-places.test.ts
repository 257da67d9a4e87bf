import { describe, expect, test } from 'vitest';
import { ByteReader } from '../../src/disk/replica/byte-reader.ts';
import { ByteWriter } from '../../src/disk/replica/byte-writer.ts';
import { NO_CHAIN } from '../../src/disk/replica/chain.ts';
import { RecentPlaces } from '../../src/disk/replica/recent-places.ts';
import type { Replica } from '../../src/disk/replica/replica.ts';
import { baseOf, bootstrap, pendingOf, replicaOf, set } from './replica-fixture.ts';
import { incarnationOf } from './replica-region.ts';

const OWN = incarnationOf(1);
const OTHERS = incarnationOf(2);

const digestOf = (history: number, position: number): Uint8Array => new Uint8Array(32).fill(history).fill(position % 256, 0, 1);

/** The next entry of a history, sent from a place of any history. How many operations had their turn. */
function receive(replica: Replica, number: number, base: number, { of, to = 1 }: { of: number; to?: number }): number {
  const position = replica.position + 1;
  const batch = { incarnation: incarnationOf(number), region: 'r', first: 1, previous: NO_CHAIN, base, baseDigest: digestOf(of, base).subarray(0, 8), chained: true, operations: [set(number, 1, String(number % 10))] };
  return replica.entry({ epoch: 'e', position, digest: digestOf(to, position), batch })?.length ?? -1;
}

describe('what was sent in another history of the log', () => {
  test('has no turn in this one, whoever was forgotten', () => {
    const replica = replicaOf(OWN);
    for (let number = 10; number < 20; number++) expect(receive(replica, number, replica.position, { of: 1 })).toBe(1);
    expect(receive(replica, 30, 5, { of: 2 })).toBe(0);
    expect(receive(replica, 31, 5, { of: 1 })).toBe(1);
    expect(replica.position).toBe(12);
  });

  test('has none either where its sender was further than the log goes', () => {
    const replica = replicaOf(OWN);
    expect([receive(replica, 10, 0, { of: 1 }), receive(replica, 11, 2, { of: 1 }), receive(replica, 12, 3, { of: 1 })]).toEqual([1, 0, 0]);
  });

  test('is known as long as the place is among the last that are remembered, also over a snapshot', () => {
    const region = replicaOf(OWN);
    for (let number = 10; region.position < 2 * RecentPlaces.most + 10; number++) receive(region, number, region.position, { of: 1 });
    const fresh = replicaOf(OTHERS);
    bootstrap(fresh, baseOf(region));
    expect(Buffer.compare(baseOf(fresh), baseOf(region))).toBe(0);
    const oldest = region.position - RecentPlaces.most + 1;
    for (const replica of [region, fresh]) {
      expect(receive(replica, 9001, oldest + 1, { of: 2 })).toBe(0);
      // Nobody knows any more: who is slow must come to its turn.
      expect(receive(replica, 9002, oldest - 1, { of: 2 })).toBe(1);
    }
    expect(Buffer.compare(baseOf(fresh), baseOf(region))).toBe(0);
  });

  test('does not take the turn of what was pending when the hub was restored', () => {
    const region = replicaOf(OWN);
    const backup = baseOf(region);
    for (let number = 10; number < 13; number++) receive(region, number, region.position, { of: 1 });
    region.local(set(7, 1, 'pending'));
    bootstrap(region, backup);
    const late = { incarnation: OWN, region: 'r', first: 1, previous: NO_CHAIN, base: 3, baseDigest: digestOf(1, 3).subarray(0, 8), chained: true, operations: [set(7, 2, 'of then')] };
    expect(region.entry({ epoch: 'e', position: 1, digest: digestOf(2, 1), batch: late })).toEqual([]);
    expect([region.diverged, pendingOf(region)]).toEqual([false, [set(7, 1, 'pending')]]);
  });
});

test('entries of before there were places count, and are no places', () => {
  const places = new RecentPlaces();
  places.pass(1, digestOf(1, 1), { base: 0 });
  expect(places.isOurs({ base: 9 }, 2)).toBe(true);
  expect(places.isOurs({ base: 1, baseDigest: digestOf(2, 1).subarray(0, 8) }, 2)).toBe(true);
});

test('more places than there can be are damage', () => {
  const writer = new ByteWriter().integer(2).raw(new Uint8Array(16));
  expect(() => new RecentPlaces().read(new ByteReader(writer.finish()), 1)).toThrow(expect.objectContaining({ code: 'hub-damaged' }) as Error);
});
