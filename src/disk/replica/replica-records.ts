import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { decodeBatch } from './batch.ts';
import type { Batch } from './batch.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { NO_CHAIN } from './chain.ts';
import { readIncarnation, writeIncarnation } from './incarnation.ts';
import type { Incarnation } from './incarnation.ts';
import { readId, writeId } from './operation.ts';
import type { OperationId } from './operation.ts';
import { DIGEST_BYTES } from './snapshot.ts';

/*
 * The records by which a journal follows a hub. docs/FORMAT.md, "Replicas", is the same in words.
 *
 *   REPLICATE    incarnation, region, bytes that may be pending
 *   INCARNATION  incarnation
 *   ENTRY        epoch, position, digest, batch
 *   BASE         epoch and position that it replaces, flags, snapshot
 *   LINK         whether connected, milliseconds since 1970, head's position, hub, problem, [code of its error]
 *   ACKNOWLEDGE  serial of the last rejection that was seen
 *   OLD_REPLICA  everything, as it was before version 2   (in snapshots only)
 *   REPLICA      everything                               (in snapshots only)
 *   TOLD         ids of operations whose verdicts were told
 *   SEND         nothing: what is pending may be in the hub's log from now on, of which there is no base yet
 */

export interface ReplicateRecord {
  readonly incarnation: Incarnation;
  readonly region: string;
  /** Bytes of operations that may be pending. */
  readonly cap: number;
}

export interface EntryRecord {
  readonly epoch: string;
  readonly position: number;
  /** SHA-256 of the entry as the hub has it. */
  readonly digest: Uint8Array;
  /** With the values that the hub's entry only refers to. */
  readonly batch: Batch;
}

export interface BaseRecord {
  /** The base that is to be replaced; the record is void when it is not that any more. */
  readonly from: { readonly epoch: string; readonly position: number };
  /** Whether what the old base holds is to be added to the new one: the hub's log is another, and a new one. */
  readonly seed: boolean;
  /** As `writeBase` writes it. */
  readonly base: Uint8Array;
}

/** What whoever talks to the hub says of the connection. */
export interface LinkRecord {
  readonly connected: boolean;
  /** Milliseconds since 1970, by the clock of whoever wrote it. */
  readonly time: number;
  /** The last position of the hub's log that is known. */
  readonly head: number;
  /** The hub's name. */
  readonly hub: string;
  /** Why it is not connected, or what has to be looked after; empty when nothing. */
  readonly problem: string;
  /** Of the HoldfastError that keeps it from the hub; empty when none does. */
  readonly code: string;
}

export const NO_LINK: LinkRecord = { connected: false, time: 0, head: 0, hub: '', problem: '', code: '' };

export function encodeReplicate({ incarnation, region, cap }: ReplicateRecord): Uint8Array {
  const writer = new ByteWriter();
  writeIncarnation(writer, incarnation);
  return writer.text(region).integer(cap).finish();
}

export function decodeReplicate(payload: Uint8Array): ReplicateRecord {
  const reader = new ByteReader(payload);
  return { incarnation: readIncarnation(reader), region: reader.text(), cap: reader.integer() };
}

export function encodeIncarnation(incarnation: Incarnation): Uint8Array {
  const writer = new ByteWriter();
  writeIncarnation(writer, incarnation);
  return writer.finish();
}

export function decodeIncarnation(payload: Uint8Array): Incarnation {
  return readIncarnation(new ByteReader(payload));
}

/** `batch` as it is encoded, with its values. */
export function encodeEntry({ epoch, position, digest }: Omit<EntryRecord, 'batch'>, batch: Uint8Array): Uint8Array {
  return new ByteWriter().text(epoch).integer(position).raw(digest).bytes(batch).finish();
}

export function decodeEntry(payload: Uint8Array): EntryRecord {
  const reader = new ByteReader(payload);
  return {
    epoch: reader.text(),
    position: reader.integer(),
    digest: reader.bytes(DIGEST_BYTES),
    batch: batchOf(reader.take(reader.integer())),
  };
}

/** Of an entry that makes no sense. */
export const NO_BATCH: Batch = { incarnation: '', region: '', first: 1, previous: NO_CHAIN, base: 0, chained: true, operations: [] };

/** What makes no sense to anybody has its place in the order, and no effect: it must not stop those who read it. */
function batchOf(bytes: Uint8Array): Batch {
  try {
    return decodeBatch(bytes);
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'hub-damaged') return NO_BATCH;
    throw error;
  }
}

export function encodeBase({ from, seed, base }: BaseRecord): Uint8Array {
  return new ByteWriter().text(from.epoch).integer(from.position).byte(seed ? 1 : 0).bytes(base).finish();
}

export function decodeBase(payload: Uint8Array): BaseRecord {
  const reader = new ByteReader(payload);
  const from = { epoch: reader.text(), position: reader.integer() };
  return { from, seed: reader.byte() === 1, base: reader.bytes() };
}

export function encodeLink(link: LinkRecord): Uint8Array {
  const writer = new ByteWriter();
  writeLink(writer, link);
  return writer.finish();
}

export function decodeLink(payload: Uint8Array): LinkRecord {
  const reader = new ByteReader(payload);
  const link = readOldLink(reader);
  return reader.atEnd ? link : { ...link, code: reader.text() };
}

export function writeLink(writer: ByteWriter, { connected, time, head, hub, problem, code }: LinkRecord): void {
  writer.byte(connected ? 1 : 0).integer(time).integer(head).text(hub).text(problem).text(code);
}

export function readLink(reader: ByteReader): LinkRecord {
  return { ...readOldLink(reader), code: reader.text() };
}

/** Before version 2 there was no code in it. */
export function readOldLink(reader: ByteReader): LinkRecord {
  return {
    connected: reader.byte() === 1,
    time: reader.integer(),
    head: reader.integer(),
    hub: reader.text(),
    problem: reader.text(),
    code: '',
  };
}

export function encodeAcknowledge(through: number): Uint8Array {
  return new ByteWriter().integer(through).finish();
}

export function decodeAcknowledge(payload: Uint8Array): number {
  return new ByteReader(payload).integer();
}

export function encodeTold(ids: Iterable<OperationId>): Uint8Array {
  const writer = new ByteWriter();
  for (const id of ids) writeId(writer, id);
  return writer.finish();
}

export function decodeTold(payload: Uint8Array): OperationId[] {
  const reader = new ByteReader(payload);
  const ids: OperationId[] = [];
  while (!reader.atEnd) ids.push(readId(reader));
  return ids;
}
