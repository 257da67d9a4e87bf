import { crc32 } from '../../disk/journal/checksum.ts';
import type { Batch } from '../../disk/replica/batch.ts';
import { ByteReader, damaged } from '../../disk/replica/byte-reader.ts';
import { ByteWriter } from '../../disk/replica/byte-writer.ts';
import { chainOfMark, readChain, writeChain } from '../../disk/replica/chain.ts';
import { readIncarnation, writeIncarnation } from '../../disk/replica/incarnation.ts';
import { readId, readMark, writeId } from '../../disk/replica/operation.ts';
import type { Operation, OperationId } from '../../disk/replica/operation.ts';
import { PLACE_DIGEST_BYTES } from '../../disk/replica/recent-places.ts';
import { DIGEST_BYTES } from '../../disk/replica/snapshot.ts';
import type { BaseHead } from '../../disk/replica/snapshot.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HubCapabilities } from '../hub.ts';
import { requirePlain } from '../sealed-version.ts';
import { hex, sha256 } from './digest.ts';

/*
 * An entry as the hub has it. docs/FORMAT.md, "Replicas", is the same in words.
 *
 *   entry      version, incarnation, region, first, chain before it, base, operations, check
 *   base       where its sender was: position, 8 bytes of the digest there
 *   check      CRC-32 of all before it, in four bytes: every version from 2 on has it at its end
 *   operation  id, kind, 0, payload            a payload that travels in the entry itself
 *              id, kind, 1, count, blobs       one that is put together from blobs (rule 14)
 *   blob       SHA-256, length
 */
const WIRE_VERSION = 3;

const INLINE = 0;
const IN_BLOBS = 1;

/** Payloads above this travel as blobs: an entry is read by everybody at once, and again by whoever comes later. */
const MOST_INLINE = 2 ** 16;

/** Of all entries; a batch is sent when it is this large, however much more the hub would take. */
const LARGEST_ENTRY = 2 ** 18;

/** Of a blob: one is in memory as a whole at both ends. */
const LARGEST_BLOB = 2 ** 22;

/**
 * Of all payloads of an entry, in bytes, whether they are in it or in blobs: no region lets more than this wait for its
 * hub. Whoever reads an entry looks at this before he fetches anything.
 */
export const MOST_PAYLOAD_BYTES = 2 ** 26;

/** UTF-16 code units. */
const MOST_REGION_UNITS = 256;

const CHECK_BYTES = 4;

/** Version, incarnation, first, previous, base and check, at most. */
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
  readonly #digest: (bytes: Uint8Array) => Uint8Array;

  /** `digest`: what names a blob. */
  constructor({ maxEntryBytes, maxBlobBytes }: Pick<HubCapabilities, 'maxEntryBytes' | 'maxBlobBytes'>, region: string, digest = sha256) {
    this.#digest = digest;
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
   * `base` is where the sender is: what shows that none of it had its turn before, even if that is forgotten. And an
   * operation that is sent again to a hub which has forgotten it gives other bytes than before, so that the entry at a
   * place, if it is equal, stands for all that came before it.
   */
  encode({ incarnation, region, first, previous, operations }: Omit<Batch, 'base' | 'chained'>, base: Pick<BaseHead, 'position' | 'digest'>): Parcel {
    const blobs = new Map<string, Uint8Array>();
    const writer = new ByteWriter().byte(WIRE_VERSION);
    writeIncarnation(writer, incarnation);
    writer.text(region).integer(first);
    writeChain(writer, previous);
    writer.integer(base.position).bytes(base.digest.subarray(0, PLACE_DIGEST_BYTES));
    for (const operation of operations) this.#writeOperation(writer, operation, blobs);
    return { bytes: withCheck(writer), blobs };
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
      const digest = this.#digest(blob);
      writer.raw(digest).integer(blob.length);
      blobs.set(hex(digest), blob);
    }
  }
}

function withCheck(writer: ByteWriter): Uint8Array {
  const check = new Uint8Array(CHECK_BYTES);
  new DataView(check.buffer).setUint32(0, checkOf(writer.finish()), true);
  return writer.raw(check).finish();
}

function checkOf(bytes: Uint8Array): number {
  return crc32(bytes, 0, bytes.length);
}

/**
 * @throws HoldfastError hub-damaged for what makes no sense to anybody; hub-incompatible for an entry of newer code;
 * key-missing for one that is encrypted
 */
export function decodeWire(bytes: Uint8Array): WireBatch {
  const version = bytes[0] ?? 0;
  requirePlain(bytes);
  if (version === 0) throw damaged('there are no entries of version 0');
  const reader = new ByteReader(version === 1 ? bytes : checked(bytes));
  reader.byte();
  // Its check is right: it is no accident.
  if (version > WIRE_VERSION) throw newer(`an entry of version ${version}`);
  const head = version === 1 ? readOldHead(reader) : readHead(reader, version);
  const operations: WireOperation[] = [];
  let left = MOST_PAYLOAD_BYTES;
  while (!reader.atEnd) {
    const operation = readWireOperation(reader);
    left -= lengthOf(operation);
    if (left < 0) throw damaged(`it has more than ${MOST_PAYLOAD_BYTES} bytes`);
    operations.push(operation);
  }
  return { ...head, operations };
}

/** Without the check. */
function checked(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - CHECK_BYTES;
  if (end < 1) throw damaged('an entry is shorter than its check');
  const content = bytes.subarray(0, end);
  if (new DataView(bytes.buffer, bytes.byteOffset + end, CHECK_BYTES).getUint32(0, true) !== checkOf(content)) throw damaged('an entry has another check than it says');
  return content;
}

type Head = Omit<WireBatch, 'operations'>;

function readHead(reader: ByteReader, version: number): Head {
  const head = { incarnation: readIncarnation(reader), region: readRegion(reader), first: reader.integer(), previous: readChain(reader), chained: true };
  const { base, digest } = readPlace(reader);
  // Version 2 had it, but nobody looked at it: all regions must decide alike.
  if (version === 2) return { ...head, base };
  if (digest.length !== (base === 0 ? 0 : PLACE_DIGEST_BYTES)) throw damaged('the place of its sender has no digest');
  return { ...head, base, baseDigest: base === 0 ? new Uint8Array(PLACE_DIGEST_BYTES) : digest };
}

function readOldHead(reader: ByteReader): Head {
  const head = { incarnation: readIncarnation(reader), region: readRegion(reader), first: reader.integer(), previous: chainOfMark(readMark(reader)) };
  readPlace(reader);
  // What journals of its time hold of it does not say where its sender was; all regions must decide alike.
  return { ...head, base: 0, chained: false };
}

function readRegion(reader: ByteReader): string {
  const region = reader.text();
  if (region.length > MOST_REGION_UNITS) throw damaged('the name of a region is too long');
  return region;
}

function readPlace(reader: ByteReader): { base: number; digest: Uint8Array } {
  const base = reader.integer();
  const digest = reader.bytes();
  if (digest.length > DIGEST_BYTES) throw damaged('a digest is too long');
  return { base, digest };
}

function lengthOf({ payload, blobs }: WireOperation): number {
  return payload?.length ?? blobs?.reduce((sum, { length }) => sum + length, 0) ?? 0;
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
