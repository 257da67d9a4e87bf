import { describe, expect, test } from 'vitest';
import { ClientTable } from '../../src/disk/replica/client-table.ts';
import type { Replica } from '../../src/disk/replica/replica.ts';
import { baseOf, bootstrap, echo, pendingOf, receive, replicaOf, set, start } from './replica-fixture.ts';
import { incarnationOf } from './replica-region.ts';

const OWN = incarnationOf(1);
const OTHERS = incarnationOf(2);

/** A region that has confirmed each of these values, and a hub that has the same. */
function both(...values: readonly string[]): [Replica, Replica] {
  const pair: [Replica, Replica] = [replicaOf(OWN), replicaOf(OTHERS)];
  write(pair, 1, values);
  return pair;
}

/** The region writes, and the hub's order takes it. */
function write([region, hub]: readonly [Replica, Replica], from: number, values: readonly string[]): void {
  for (const [at, value] of values.entries()) {
    region.local(set(7, from + at, value));
    const { incarnation = '', number: first = 0 } = region.pending.at(0) ?? {};
    const entry = [incarnation, pendingOf(region), region.position, { first, previous: region.pending.chainBefore(0) }] as const;
    for (const replica of [region, hub]) expect(receive(replica, ...entry)).toBe(1);
  }
}

const forget = (...replicas: readonly Replica[]): void => {
  for (const replica of replicas) start(replica, 1000 + replica.position, ClientTable.most);
};

describe('a hub that is restored from a backup', () => {
  test('is given again also what only its snapshot had confirmed, and what came before', () => {
    const writes = [set(7, 1, 'confirmed'), set(7, 2, 'sent')];
    const [region, hub] = [replicaOf(OWN), replicaOf(OTHERS)];
    const backup = baseOf(hub);
    receive(hub, OWN, writes, 0);
    region.local(set(7, 1, 'confirmed'));
    echo(region);
    region.local(set(7, 2, 'sent'));
    // The entry was trimmed: whether its operation was refused is not known.
    bootstrap(region, baseOf(hub));
    expect(region.rejections.items).toMatchObject([{ reason: 'unknown', operation: writes[1] }]);
    // Looking once more must not make it forget.
    bootstrap(region, baseOf(hub));
    bootstrap(region, backup);
    expect(pendingOf(region)).toEqual(writes);
  });

  test('is given again what it had confirmed of a root that it has forgotten since', () => {
    const [region, hub] = both('a', 'b');
    const backup = baseOf(hub);
    write([region, hub], 3, ['c', 'd']);
    forget(region);
    expect(region.clients.knows(OWN)).toBe(false);
    bootstrap(region, backup);
    region.local(set(7, 5, 'e'));
    expect(pendingOf(region)).toEqual([set(7, 3, 'c'), set(7, 4, 'd'), set(7, 5, 'e')]);
    expect([region.diverged, region.rejections.size]).toEqual([false, 0]);
    expect(echo(region)).toBe(3);
    expect([region.diverged, region.pending.length]).toEqual([false, 0]);
  });

  test('is given again all of a root of which it knows nothing, whatever was forgotten between', () => {
    const [region, hub] = both();
    const backup = baseOf(hub);
    write([region, hub], 1, ['a', 'b']);
    forget(region, hub);
    write([region, hub], 3, ['c']);
    region.local(set(7, 4, 'pending'));
    bootstrap(region, backup);
    expect(pendingOf(region)).toEqual([set(7, 1, 'a'), set(7, 2, 'b'), set(7, 3, 'c'), set(7, 4, 'pending')]);
    expect(echo(region)).toBe(4);
    expect([region.pending.length, region.rejections.size]).toEqual([0, 0]);
  });

  test('is given again what came after an earlier life of the root, and only that', () => {
    const [region, hub] = both('a', 'b', 'c');
    const backup = baseOf(hub);
    forget(region);
    write([region, replicaOf(OTHERS)], 4, ['d']);
    region.local(set(7, 5, 'pending'));
    bootstrap(region, backup);
    expect(pendingOf(region)).toEqual([set(7, 4, 'd'), set(7, 5, 'pending')]);
    // All of it is known still: it may be restored once more.
    expect([region.diverged, region.rejections.size, region.tail.items.length]).toEqual([false, 0, 3]);
    expect(echo(region)).toBe(2);
    expect([region.diverged, region.pending.length]).toEqual([false, 0]);
  });

  test('is given again what came after an earlier life that nobody remembers here', () => {
    const [region, hub] = both('a', 'b', 'c');
    const backup = baseOf(hub);
    forget(region);
    region.tail.replace([]);
    write([region, replicaOf(OTHERS)], 4, ['d']);
    bootstrap(region, backup);
    expect(pendingOf(region)).toEqual([set(7, 4, 'd')]);
  });

  test('says of what it may have or not that nobody knows, once', () => {
    const [region, hub] = both();
    write([region, hub], 1, ['a', 'b']);
    const restored = replicaOf(OTHERS);
    forget(restored);
    start(restored, 5000, 2);
    bootstrap(region, baseOf(restored));
    expect(region.rejections.items.map(({ reason, operation, position }) => [reason, operation, position])).toEqual([
      ['unknown', set(7, 1, 'a'), restored.position],
      ['unknown', set(7, 2, 'b'), restored.position],
    ]);
    bootstrap(region, baseOf(restored));
    expect([region.pending.length, region.rejections.size]).toEqual([0, 2]);
  });

  test('says nothing of what is there for certain, whoever was forgotten meanwhile', () => {
    const [region, hub] = both('a', 'b');
    forget(region, hub);
    write([region, hub], 3, ['c']);
    // Its last one is where it was.
    start(hub, 9000, ClientTable.most - 1);
    bootstrap(region, baseOf(hub));
    expect([region.pending.length, region.rejections.size, region.tail.items.length]).toEqual([0, 0, 3]);
  });
});
