/** A replica without a journal, and entries of a hub that come to it from anybody. */
import { expect } from 'vitest';
import { MapModel } from '../../src/disk/map/map-model.ts';
import { RecordWriter, SET } from '../../src/disk/map/map-records.ts';
import { ByteWriter } from '../../src/disk/replica/byte-writer.ts';
import { NO_CHAIN } from '../../src/disk/replica/chain.ts';
import type { Chain } from '../../src/disk/replica/chain.ts';
import type { Operation } from '../../src/disk/replica/operation.ts';
import { Replica } from '../../src/disk/replica/replica.ts';
import { writeBase } from '../../src/disk/replica/snapshot.ts';
import { incarnationOf } from './replica-region.ts';

const records = new RecordWriter();

export const set = (session: number, sequence: number, value: string): Operation => ({ session, sequence, kind: SET, payload: Uint8Array.from(records.set('', '', 'k', value)) });

export function replicaOf(incarnation: string): Replica {
  const replica = new Replica(new MapModel());
  replica.replicate({ incarnation, region: 'r', cap: 1e9 }, 1);
  return replica;
}

/** What comes before the first of the operations; nothing by default. */
interface After {
  readonly first: number;
  readonly previous: Chain;
}

/** The next entry, whose sender had everything up to `base`. How many of the operations had their turn; -1: it is void. */
export function receive(replica: Replica, incarnation: string, operations: readonly Operation[], base: number, { first, previous }: After = { first: 1, previous: NO_CHAIN }): number {
  const position = replica.position + 1;
  const batch = { incarnation, region: 'r', first, previous, base, chained: true, operations };
  return replica.entry({ epoch: 'e', position, digest: new Uint8Array(32).fill(1), batch })?.length ?? -1;
}

/** What is pending comes back. */
export function echo(replica: Replica): number {
  const head = replica.pending.at(0);
  if (head === undefined) return 0;
  const operations = Array.from(replica.pending, ({ operation }) => operation);
  return receive(replica, head.incarnation, operations, replica.position, { first: head.number, previous: replica.pending.chainBefore(0) });
}

/** One write of each of so many roots that were made for it. */
export function start(replica: Replica, from: number, count: number): void {
  for (let number = from; number < from + count; number++) receive(replica, incarnationOf(number), [set(number, 1, String(number % 10))], replica.position);
}

export function baseOf({ epoch, position, digest, clients, model }: Replica): Uint8Array {
  const writer = new ByteWriter();
  writeBase(writer, { epoch, position, digest }, clients, model);
  return Uint8Array.from(writer.finish());
}

/** It takes a base of a hub in place of its own. */
export function bootstrap(replica: Replica, base: Uint8Array): void {
  expect(replica.rebase({ from: { epoch: replica.epoch, position: replica.position }, seed: false, base }, 1)).toBe(true);
}

export function pendingOf({ pending }: Replica): Operation[] {
  return Array.from(pending, ({ operation }) => operation);
}
