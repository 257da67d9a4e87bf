import type { Batch } from '../../disk/replica/batch.ts';
import { NO_BATCH } from '../../disk/replica/replica-records.ts';
import { damaged } from '../../disk/replica/byte-reader.ts';
import type { Operation, OperationId } from '../../disk/replica/operation.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HubEntry, HubLog } from '../hub.ts';
import { blobDigest, hex, isSameDigest, sha256 } from './digest.ts';
import type { Line } from './line.ts';
import { decodeWire, newer } from './wire.ts';
import type { BlobReference, WireBatch, WireOperation } from './wire.ts';

/** A blob is larger than what else is asked for. */
export const BLOB_ANSWER_MS = 120_000;

/** An entry that was looked at, with all values. */
export interface Unpacked {
  readonly position: number;
  /** SHA-256 of it as the hub has it. */
  readonly digest: Uint8Array;
  /** Why it makes no sense: whoever reads it finds the same, so it has its place, and no effect; null where it does. */
  readonly damage: string | null;
  /** `NO_BATCH` where it makes no sense. */
  readonly batch: Batch;
  /** Of the entry and its blobs. */
  readonly bytes: number;
}

export interface UnpackingOptions {
  readonly log: HubLog;
  readonly line: Line;
  /** As `Model.knows`. */
  knows(kind: number): boolean;
  /** The payload of an operation of this replica's own that it still has, or null. */
  recall(id: OperationId): Uint8Array | null;
  /** As `ReplicatorOptions.check`. */
  check(batch: Batch): Promise<void> | void;
}

/** What nobody can make sense of, now or later, here or elsewhere. */
class Nonsense extends Error {}

/**
 * Makes a batch of an entry: fetches what it refers to and checks all of it.
 *
 * @throws HoldfastError hub-damaged when a blob is missing or is not what it says, which may yet be repaired;
 * hub-incompatible for operations that only newer code knows; and as hubs do
 */
export async function unpack({ position, bytes }: HubEntry, options: UnpackingOptions): Promise<Unpacked> {
  const digest = sha256(bytes);
  try {
    const batch = await batchOf(decode(bytes), options);
    await options.check(batch);
    const size = batch.operations.reduce((sum, { payload }) => sum + payload.length, bytes.length);
    return { position, digest, damage: null, batch, bytes: size };
  } catch (error) {
    if (error instanceof Nonsense) return { position, digest, damage: error.message, batch: NO_BATCH, bytes: bytes.length };
    throw ofEntry(position, error);
  }
}

/** The bytes alone decide, so all regions find the same. */
function decode(bytes: Uint8Array): WireBatch {
  try {
    return decodeWire(bytes);
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'hub-damaged') throw new Nonsense(error.message);
    throw error;
  }
}

async function batchOf({ operations, ...head }: WireBatch, options: UnpackingOptions): Promise<Batch> {
  for (const { kind } of operations) {
    if (!options.knows(kind)) throw newer(`an operation of kind ${kind}`);
  }
  const whole: Operation[] = [];
  for (const operation of operations) whole.push(await withPayload(operation, options));
  return { ...head, operations: whole };
}

/** How large it becomes was looked at before: by `decodeWire`. */
async function withPayload(operation: WireOperation, options: UnpackingOptions): Promise<Operation> {
  const { blobs, payload, session, sequence, kind } = operation;
  if (blobs === null) return { session, sequence, kind, payload };
  const whole = new Uint8Array(blobs.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const blob of blobs) {
    const start = at;
    const own = (): Uint8Array | undefined => options.recall(operation)?.subarray(start, start + blob.length);
    whole.set(await fetchBlob(blob, own, options), at);
    at += blob.length;
  }
  return { session, sequence, kind, payload: whole };
}

/** (14) */
async function fetchBlob(blob: BlobReference, own: () => Uint8Array | undefined, options: UnpackingOptions): Promise<Uint8Array> {
  const { digest, length } = blob;
  const name = hex(digest);
  const bytes = await options.line.ask('for a blob', BLOB_ANSWER_MS, () => options.log.getBlob(name));
  if (bytes === null) return giveAgain(blob, own(), options);
  if (!isSameDigest(blobDigest(options.log, bytes), digest)) throw damaged(`the blob ${name} has other bytes`);
  // No other bytes have this digest: nobody will ever find as many as the entry says.
  if (bytes.length !== length) throw new Nonsense(`a blob of ${bytes.length} bytes is said to have ${length}`);
  return bytes;
}

/**
 * A hub that lost blobs, restored from a backup maybe, gets those again that are this replica's `own`: without them no
 * region could go on.
 */
async function giveAgain({ digest }: BlobReference, own: Uint8Array | undefined, { log, line }: UnpackingOptions): Promise<Uint8Array> {
  const name = hex(digest);
  if (own === undefined || !isSameDigest(blobDigest(log, own), digest)) throw damaged(`the blob ${name} that it refers to is missing`);
  await line.ask('to keep a blob', BLOB_ANSWER_MS, () => log.putBlob(name, own));
  return own;
}

/** People look for the entry that keeps a replica from going on. */
function ofEntry(position: number, error: unknown): unknown {
  if (!(error instanceof HoldfastError) || error.code !== 'hub-damaged') return error;
  return new HoldfastError('hub-damaged', `Entry ${position} of the hub's log is not applied: ${error.message}`, { cause: error });
}
