import { describe, expect, test } from 'vitest';
import { MapModel } from '../../src/disk/map/map-model.ts';
import { BARRIER, COMPARE, RecordWriter, SET } from '../../src/disk/map/map-records.ts';
import { ByteReader } from '../../src/disk/replica/byte-reader.ts';
import { ByteWriter } from '../../src/disk/replica/byte-writer.ts';
import { NO_CHAIN } from '../../src/disk/replica/chain.ts';
import type { Operation } from '../../src/disk/replica/operation.ts';
import { MOST_TOLD } from '../../src/disk/replica/rejections.ts';
import { Replica } from '../../src/disk/replica/replica.ts';
import { MOST_VERDICTS } from '../../src/disk/replica/verdicts.ts';
import { incarnationOf } from './replica-region.ts';

const records = new RecordWriter();
const OWN = incarnationOf(1);

const compare = (sequence: number): Operation => ({ session: 9, sequence, kind: COMPARE, payload: Uint8Array.from(records.compare('', '', { key: 'k', expected: null, value: `v${sequence}` })) });

function replicaOf(cap = 1e9): Replica {
  const replica = new Replica(new MapModel());
  replica.replicate({ incarnation: OWN, region: 'r', cap }, 1);
  return replica;
}

/** All that is pending comes back. */
function echo(replica: Replica): void {
  const operations = Array.from(replica.pending, ({ operation }) => operation);
  const first = replica.pending.at(0)?.number ?? 1;
  const previous = operations.length === 0 ? NO_CHAIN : replica.pending.chainBefore(0);
  const batch = { incarnation: OWN, region: 'r', first, previous, base: 0, chained: true, operations };
  replica.entry({ epoch: 'e', position: replica.position + 1, digest: new Uint8Array(32), batch });
}

function restarted(replica: Replica): Replica {
  const writer = new ByteWriter();
  replica.write(writer);
  const copy = replicaOf();
  copy.read(new ByteReader(writer.finish()));
  return copy;
}

describe('what became of a compareAndSet', () => {
  test('is kept, over any snapshot, until whoever asked was told, whoever acknowledges meanwhile', () => {
    const replica = replicaOf();
    for (let sequence = 1; sequence <= 3; sequence++) replica.local(compare(sequence));
    echo(replica);
    replica.acknowledge(replica.rejections.serial);
    const later = restarted(replica);
    expect([1, 2, 3].map((sequence) => later.verdicts.of({ session: 9, sequence }))).toEqual(['accepted', 'expected', 'expected']);
    later.told([{ session: 9, sequence: 2 }]);
    expect(restarted(later).verdicts.of({ session: 9, sequence: 2 })).toBeUndefined();
    expect(later.verdicts.size).toBe(2);
  });

  test('is known of barriers too, and kept of nothing that nobody waits for', () => {
    const replica = replicaOf();
    replica.local({ session: 9, sequence: 1, kind: BARRIER, payload: new Uint8Array(0) });
    replica.local({ session: 9, sequence: 2, kind: SET, payload: Uint8Array.from(records.set('', '', 'k', 'v')) });
    echo(replica);
    expect([replica.verdicts.of({ session: 9, sequence: 1 }), replica.verdicts.size]).toEqual(['accepted', 1]);
  });

  test('is never more than a bound, and is then not known at all', () => {
    const replica = replicaOf();
    for (let sequence = 1; sequence <= MOST_VERDICTS + 10; sequence++) replica.verdicts.add({ session: 9, sequence }, 'accepted');
    expect(replica.verdicts.size).toBe(MOST_VERDICTS);
    expect(replica.verdicts.of({ session: 9, sequence: 10 })).toBeUndefined();
  });
});

describe('rejections', () => {
  test('are kept until they are acknowledged, however many, also over a snapshot', () => {
    const replica = replicaOf();
    for (let sequence = 1; sequence <= 3000; sequence++) replica.local(compare(sequence));
    echo(replica);
    const later = restarted(replica);
    expect([later.rejections.size, later.rejections.serial]).toEqual([2999, 2999]);
    expect(Array.from(later.rejections.after(2990), ({ serial }) => serial)).toHaveLength(9);
    later.acknowledge(2000);
    expect(later.rejections.items[0]?.serial).toBe(2001);
  });

  test('take of what may be pending, until they are told or acknowledged', () => {
    const replica = replicaOf(10_000);
    for (let sequence = 1; sequence <= 150; sequence++) replica.local(compare(sequence));
    const { bytes } = replica.pending;
    echo(replica);
    expect(replica.occupied).toBeGreaterThan(bytes / 2);
    expect(replica.welcomes(new Uint8Array(10_000 - replica.occupied + 1))).toBe(false);
    replica.told([{ session: 9, sequence: 2 }]);
    expect(replica.rejections.size).toBe(149);
    expect(restarted(replica).occupied).toBe(replica.occupied);
    replica.told(Array.from({ length: 150 }, (_, index) => ({ session: 9, sequence: index + 1 })));
    expect([replica.occupied, restarted(replica).occupied]).toEqual([0, 0]);
  });

  test('that were told are dropped beyond a bound, others never', () => {
    const replica = replicaOf();
    for (let sequence = 1; sequence <= MOST_TOLD + 100; sequence++) replica.rejections.add(compare(sequence), 'expected', 1, true);
    replica.told(Array.from({ length: MOST_TOLD + 50 }, (_, index) => ({ session: 9, sequence: index + 51 })));
    expect(replica.rejections.size).toBe(MOST_TOLD + 50);
    expect(replica.rejections.items.slice(0, 51).map(({ serial }) => serial)).toEqual([...Array.from({ length: 50 }, (_, index) => index + 1), 101]);
  });
});
