import { expect, test } from 'vitest';
import { MapModel } from '../../src/disk/map/map-model.ts';
import { RecordWriter, SET } from '../../src/disk/map/map-records.ts';
import { decodeBatch } from '../../src/disk/replica/batch.ts';
import { ByteReader } from '../../src/disk/replica/byte-reader.ts';
import { ByteWriter } from '../../src/disk/replica/byte-writer.ts';
import { chainOfMark } from '../../src/disk/replica/chain.ts';
import { writeIncarnation } from '../../src/disk/replica/incarnation.ts';
import { markOf, NO_OPERATION, writeMark, writeOperation } from '../../src/disk/replica/operation.ts';
import type { Operation } from '../../src/disk/replica/operation.ts';
import { Replica } from '../../src/disk/replica/replica.ts';
import { writeBase } from '../../src/disk/replica/snapshot.ts';
import { incarnationOf } from './replica-region.ts';

// What code of before version 2 has written, put together here as docs/FORMAT.md says.

const OWN = incarnationOf(1);
const digest = new Uint8Array(32).fill(9);
const set = (sequence: number, value: string): Operation => ({ session: 7, sequence, kind: SET, payload: Uint8Array.from(new RecordWriter().set('', '', 'k', value)) });
const [one, two, three, four] = [set(1, '1'), set(2, '2'), set(3, '3'), set(4, '4')] as const;

function oldBatch(first: number, before: Operation | null, ...operations: Operation[]): Uint8Array {
  const writer = new ByteWriter().byte(1);
  writeIncarnation(writer, OWN);
  writer.text('r').integer(first);
  writeMark(writer, before === null ? NO_OPERATION : markOf(before));
  for (const operation of operations) writeOperation(writer, operation);
  return Uint8Array.from(writer.finish());
}

function writeOldBase(writer: ByteWriter, position: number, last: Operation, number: number, model: MapModel): void {
  writer.byte(1).text('e').integer(position).bytes(digest).integer(1);
  writeIncarnation(writer, OWN);
  writer.integer(number);
  writeMark(writer, markOf(last));
  model.write(writer);
}

function replicaOf(): Replica {
  const replica = new Replica(new MapModel());
  replica.replicate({ incarnation: OWN, region: 'r', cap: 1e6 }, 1);
  return replica;
}

function receive(replica: Replica, batch: Uint8Array): boolean[] {
  const applied = replica.entry({ epoch: 'e', position: replica.position + 1, digest, batch: decodeBatch(batch) });
  return (applied ?? []).map(({ own }) => own);
}

function bytesOf({ epoch, position, clients, model }: Replica): string {
  const writer = new ByteWriter();
  writeBase(writer, { epoch, position, digest }, clients, model);
  return Buffer.from(writer.finish()).toString('hex');
}

test('entries of version 1 have their turns as they had, and a replica goes on from them', () => {
  const replica = replicaOf();
  for (const operation of [one, two, three]) replica.local(operation);
  expect(receive(replica, oldBatch(1, null, one, two))).toEqual([true, true]);
  // Repeated, or after something else than it says, it has none.
  expect(receive(replica, oldBatch(1, null, one, two))).toEqual([]);
  expect(receive(replica, oldBatch(3, one, three))).toEqual([]);
  expect([replica.diverged, replica.pending.chainBefore(0)]).toEqual([false, chainOfMark(markOf(two))]);
  const previous = replica.pending.chainBefore(0);
  const chained = { incarnation: OWN, region: 'r', first: 3, previous, base: 3, chained: true, operations: [three] };
  expect(replica.entry({ epoch: 'e', position: 4, digest, batch: chained })).toMatchObject([{ own: true }]);
  expect(receive(replica, oldBatch(3, two, four))).toEqual([]);
});

test('a base of version 1 is the same as what its entries give', () => {
  const whole = replicaOf();
  receive(whole, oldBatch(1, null, one, two));
  const writer = new ByteWriter();
  writeOldBase(writer, 1, two, 2, whole.model as MapModel);
  const late = replicaOf();
  expect(late.rebase({ from: { epoch: '', position: 0 }, seed: false, base: Uint8Array.from(writer.finish()) }, 1)).toBe(true);
  for (const replica of [whole, late]) receive(replica, oldBatch(3, two, three));
  expect(bytesOf(late)).toBe(bytesOf(whole));
});

test('a replica that was written by version 1 goes on with what was pending and rejected', () => {
  const model = new MapModel();
  for (const operation of [one, two]) model.confirm(operation);
  const writer = new ByteWriter().text('r').integer(1e6).integer(5).integer(0).byte(0).integer(1);
  writeIncarnation(writer, OWN);
  for (const [number, operations] of [[3, [three, four]], [1, [one, two]]] as const) {
    writer.integer(operations.length);
    operations.forEach((operation, index) => {
      writeIncarnation(writer, OWN);
      writeOperation(writer.integer(number + index), operation);
    });
  }
  writer.integer(1).integer(1).integer(1).byte(1).integer(2);
  writeOperation(writer, two);
  writer.byte(1).integer(1000).integer(1).text('hub').text('');
  writeOldBase(writer, 1, two, 2, model);
  const replica = replicaOf();
  replica.readOld(new ByteReader(Uint8Array.from(writer.finish())));
  expect([replica.pending.length, replica.diverged, replica.rejections.size, replica.link.connected]).toEqual([2, false, 1, true]);
  expect(replica.rejections.items).toMatchObject([{ reason: 'expected', told: false }]);
  // What the old code had under way, and what the new code writes.
  expect(receive(replica, oldBatch(3, two, three))).toEqual([true]);
  replica.local(set(5, '5'));
  const batch = { incarnation: OWN, region: 'r', first: 4, previous: replica.pending.chainBefore(0), base: 2, chained: true, operations: [four, set(5, '5')] };
  expect(replica.entry({ epoch: 'e', position: 3, digest, batch })).toMatchObject([{ own: true }, { own: true }]);
  expect(replica.pending.length).toBe(0);
});
