import type { Batch } from '../../disk/replica/batch.ts';
import { ByteReader, damaged } from '../../disk/replica/byte-reader.ts';
import { ByteWriter } from '../../disk/replica/byte-writer.ts';
import { readIncarnation, writeIncarnation } from '../../disk/replica/incarnation.ts';
import { readId, readMark, writeId, writeMark } from '../../disk/replica/operation.ts';
import type { Operation, OperationId } from '../../disk/replica/operation.ts';
import { DIGEST_BYTES } from '../../disk/replica/snapshot.ts';
import type { BaseHead } from '../../disk/replica/snapshot.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HubCapabilities } from '../hub.ts';
import { hex, sha256 } from './digest.ts';

/*
 * An entry as the hub has it. docs/FORMAT.md, "Replicas", is the same in words.
 *
 *   entry      version, incarnation, region, first, mark of the operation before, base, operations
 *   base       where its sender was: position, 8 bytes of the digest there
 *   operation  id, kind, 0, payload            a payload that travels in the entry itself
 *              id, kind, 1, count, blobs       one that is put together from blobs (rule 14)
 *   blob       SHA-256, length
 */
const WIRE_VERSION = 1;

const INLINE = 0;
const IN_BLOBS = 1;

/** Payloads above this travel as blobs: an entry is read by everybody at once, and again by whoever comes later. */
const MOST_INLINE = 2 ** 16;

/** Of all entries; a batch is sent when it is this large, however much more the hub would take. */
const LARGEST_ENTRY = 2 ** 18;

/** Of a blob: one is in memory as a whole at both ends. */
const LARGEST_BLOB = 2 ** 22;

/** Of the digest of the sender's base. */
const BASE_DIGEST_BYTES = 8;

/** Version, incarnation, first, previous and base, at most. */
const HEAD_BYTES = 80;
/** Id, kind, form and length of one operation, at most. */
const OPERATION_BYTES = 32;
/** Digest and length of one blob, at most. */
const BLOB_BYTES = DIGEST_BYTES + 8;

/** A blob by its digest, and how long it is. */
export interface BlobReference {
  readonly digest: Uint8Array;
  readonly length: number;
}

/** An operation of an entry: with its payload, or with the blobs that it is in. */
export type WireOperation = OperationId & { readonly kind: number } & (
    | { readonly payload: Uint8Array; readonly blobs: null }
    | { readonly payload: null; readonly blobs: readonly BlobReference[] }
  );

export type WireBatch = Omit<Batch, 'operations'> & { readonly operations: readonly WireOperation[] };

/** What becomes of a batch: the entry, and the blobs by their names that have to be there before it. */
export interface Parcel {
  readonly bytes: Uint8Array;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
}

/** How batches are put on the wire for one hub. */
export class Wire {
  readonly #entry: number;
  readonly #inline: number;
  readonly #blob: number;

  constructor({ maxEntryBytes, maxBlobBytes }: Pick<HubCapabilities, 'maxEntryBytes' | 'maxBlobBytes'>, region: string) {
    this.#entry = Math.min(maxEntryBytes, LARGEST_ENTRY) - HEAD_BYTES - 4 * region.length;
    this.#inline = Math.min(MOST_INLINE, this.#entry - OPERATION_BYTES);
    this.#blob = Math.min(maxBlobBytes, LARGEST_BLOB);
  }

  /** The bytes that the operations of one entry may take together, as `costOf` has them. */
  get room(): number {
    return this.#entry;
  }

  /** What an operation takes of an entry, in bytes, or a little less. */
  costOf({ payload }: Operation): number {
    if (payload.length <= this.#inline) return OPERATION_BYTES + payload.length;
    return OPERATION_BYTES + BLOB_BYTES * Math.ceil(payload.length / this.#blob);
  }

  /**
   * `base` is where the sender is. Nobody needs it; but an operation that is sent again to a hub which has forgotten it
   * gives other bytes than before, so that the entry at a place, if it is equal, stands for all that came before it.
   */
  encode({ incarnation, region, first, previous, operations }: Batch, base: Pick<BaseHead, 'position' | 'digest'>): Parcel {
    const blobs = new Map<string, Uint8Array>();
    const writer = new ByteWriter().byte(WIRE_VERSION);
    writeIncarnation(writer, incarnation);
    writer.text(region).integer(first);
    writeMark(writer, previous);
    writer.integer(base.position).bytes(base.digest.subarray(0, BASE_DIGEST_BYTES));
    for (const operation of operations) this.#writeOperation(writer, operation, blobs);
    return { bytes: writer.finish(), blobs };
  }

  #writeOperation(writer: ByteWriter, operation: Operation, blobs: Map<string, Uint8Array>): void {
    writeId(writer, operation);
    writer.byte(operation.kind);
    if (operation.payload.length <= this.#inline) writer.byte(INLINE).bytes(operation.payload);
    else this.#writeBlobs(writer.byte(IN_BLOBS), operation.payload, blobs);
  }

  #writeBlobs(writer: ByteWriter, payload: Uint8Array, blobs: Map<string, Uint8Array>): void {
    writer.integer(Math.ceil(payload.length / this.#blob));
    for (let start = 0; start < payload.length; start += this.#blob) {
      const blob = payload.subarray(start, start + this.#blob);
      const digest = sha256(blob);
      writer.raw(digest).integer(blob.length);
      blobs.set(hex(digest), blob);
    }
  }
}

/** @throws HoldfastError hub-damaged; hub-incompatible for an entry of newer code */
export function decodeWire(bytes: Uint8Array): WireBatch {
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (version > WIRE_VERSION) throw newer(`an entry of version ${version}`);
  if (version !== WIRE_VERSION) throw damaged(`there is no version ${version} of entries`);
  const head = {
    incarnation: readIncarnation(reader),
    region: reader.text(),
    first: reader.integer(),
    previous: readMark(reader),
  };
  reader.integer();
  reader.bytes();
  const operations: WireOperation[] = [];
  while (!reader.atEnd) operations.push(readWireOperation(reader));
  return { ...head, operations };
}

function readWireOperation(reader: ByteReader): WireOperation {
  const head = { ...readId(reader), kind: reader.byte() };
  const form = reader.byte();
  if (form === INLINE) return { ...head, payload: reader.bytes(), blobs: null };
  if (form !== IN_BLOBS) throw damaged(`an operation is of form ${form}`);
  const blobs: BlobReference[] = [];
  for (let left = reader.integer(); left > 0; left--) {
    blobs.push({ digest: reader.bytes(DIGEST_BYTES), length: reader.integer() });
  }
  return { ...head, payload: null, blobs };
}

/** What newer code wrote is never guessed at, nor skipped. */
export function newer(what: string): HoldfastError {
  return new HoldfastError('hub-incompatible', `The hub's log holds ${what}, which a newer version of Holdfast must have written; this one stops following until it is updated.`);
}
