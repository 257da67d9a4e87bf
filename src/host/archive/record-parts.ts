import type { StoreDefinition, StoredValue } from '../../disk/records/record-database.ts';
import { archiveError } from './archive-error.ts';

/** What `database.json` says. */
export interface DatabaseHead {
  readonly name: string;
  readonly version: number;
  readonly stores: readonly StoreHead[];
}

export interface StoreHead extends StoreDefinition {
  /** What its key generator gives next; null: it has none, or none left. */
  readonly nextKey: number | null;
}

/** A record as it is in an archive. */
export interface PackedRecord {
  readonly key: Uint8Array;
  /** A written value. */
  readonly bytes: Uint8Array;
  readonly blobs: readonly number[];
}

/** The length of the key (4 bytes), the key; the length of the value (8), the value; how many files it refers to (4), their ids (8 each). */
export function encodeRecord(key: Uint8Array, { bytes, blobs }: StoredValue): Uint8Array {
  const record = Buffer.allocUnsafeSlow(4 + key.length + 8 + bytes.length + 4 + 8 * blobs.length);
  let at = record.writeUInt32LE(key.length, 0);
  record.set(key, at);
  at = record.writeBigUInt64LE(BigInt(bytes.length), at + key.length);
  record.set(bytes, at);
  at = record.writeUInt32LE(blobs.length, at + bytes.length);
  for (const id of blobs) at = record.writeBigUInt64LE(BigInt(id), at);
  return record;
}

/** The records of one part, which is whole. @throws HoldfastError `archive-damaged` */
export function* decodeRecordPart(part: Buffer): Generator<PackedRecord, void> {
  const reader = new PartReader(part);
  while (!reader.isAtEnd) {
    const key = reader.bytes(reader.number(4));
    const bytes = reader.bytes(reader.number(8));
    const blobs = Array.from({ length: reader.count(8) }, () => reader.number(8));
    yield { key, bytes, blobs };
  }
}

class PartReader {
  readonly #part: Buffer;
  #at = 0;

  constructor(part: Buffer) {
    this.#part = part;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#part.length;
  }

  number(length: 4 | 8): number {
    const from = this.#advance(length);
    const number = length === 4 ? this.#part.readUInt32LE(from) : Number(this.#part.readBigUInt64LE(from));
    return Number.isSafeInteger(number) ? number : nonsense();
  }

  /** How many of a size follow: no more than there is room for. */
  count(size: number): number {
    const count = this.number(4);
    return count * size <= this.#part.length - this.#at ? count : nonsense();
  }

  bytes(length: number): Uint8Array {
    const from = this.#advance(length);
    // Not of the class Buffer, whose slices share memory.
    return new Uint8Array(this.#part.subarray(from, from + length));
  }

  #advance(length: number): number {
    const from = this.#at;
    if (length > this.#part.length - from) return nonsense();
    this.#at = from + length;
    return from;
  }
}

function nonsense(): never {
  throw archiveError('records of a database in it make no sense');
}
