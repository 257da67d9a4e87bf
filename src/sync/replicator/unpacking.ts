import type { Batch } from '../../disk/replica/batch.ts';
import { damaged } from '../../disk/replica/byte-reader.ts';
import { ByteWriter } from '../../disk/replica/byte-writer.ts';
import type { Operation, OperationId } from '../../disk/replica/operation.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HubEntry, HubLog } from '../hub.ts';
import { hex, isSameDigest, sha256 } from './digest.ts';
import type { Line } from './line.ts';
import { decodeWire, newer } from './wire.ts';
import type { BlobReference, WireOperation } from './wire.ts';

/** A blob is larger than what else is asked for. */
export const BLOB_ANSWER_MS = 120_000;

/** An entry that was looked at and found good, with all values. */
export interface Unpacked {
  readonly position: number;
  /** SHA-256 of it as the hub has it. */
  readonly digest: Uint8Array;
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

/**
 * Makes a batch of an entry: fetches what it refers to and checks all of it.
 *
 * @throws HoldfastError hub-damaged when anything is missing or is not what it says; hub-incompatible for operations
 * that only newer code knows; and as hubs do
 */
export async function unpack({ position, bytes }: HubEntry, options: UnpackingOptions): Promise<Unpacked> {
  try {
    const { operations, ...head } = decodeWire(bytes);
    for (const { kind } of operations) {
      if (!options.knows(kind)) throw newer(`an operation of kind ${kind}`);
    }
    const whole: Operation[] = [];
    for (const operation of operations) whole.push(await withPayload(operation, options));
    const batch = { ...head, operations: whole };
    await options.check(batch);
    const size = whole.reduce((sum, { payload }) => sum + payload.length, bytes.length);
    return { position, digest: sha256(bytes), batch, bytes: size };
  } catch (error) {
    throw ofEntry(position, error);
  }
}

async function withPayload(operation: WireOperation, options: UnpackingOptions): Promise<Operation> {
  const { blobs, payload, session, sequence, kind } = operation;
  if (blobs === null) return { session, sequence, kind, payload };
  const own = options.recall(operation);
  const writer = new ByteWriter();
  let at = 0;
  for (const blob of blobs) {
    writer.raw(await fetchBlob(blob, own?.subarray(at, at + blob.length) ?? null, options));
    at += blob.length;
  }
  return { session, sequence, kind, payload: writer.finish() };
}

/**
 * (14) A hub that lost blobs, restored from a backup maybe, gets those again that are this replica's `own`: without
 * them no region could go on.
 */
async function fetchBlob({ digest, length }: BlobReference, own: Uint8Array | null, { log, line }: UnpackingOptions): Promise<Uint8Array> {
  const name = hex(digest);
  const bytes = await line.ask('for a blob', BLOB_ANSWER_MS, () => log.getBlob(name));
  if (bytes === null && own !== null && isSameDigest(sha256(own), digest)) {
    await line.ask('to keep a blob', BLOB_ANSWER_MS, () => log.putBlob(name, own));
    return own;
  }
  if (bytes === null) throw damaged(`the blob ${name} that it refers to is missing`);
  if (bytes.length !== length || !isSameDigest(sha256(bytes), digest)) throw damaged(`the blob ${name} has other bytes`);
  return bytes;
}

/** People look for the entry that keeps a replica from going on. */
function ofEntry(position: number, error: unknown): unknown {
  if (!(error instanceof HoldfastError) || error.code !== 'hub-damaged') return error;
  return new HoldfastError('hub-damaged', `Entry ${position} of the hub's log is not applied: ${error.message}`, { cause: error });
}
