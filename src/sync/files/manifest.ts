import crypto from 'node:crypto';
import { ByteReader, damaged } from '../../disk/replica/byte-reader.ts';
import { ByteWriter } from '../../disk/replica/byte-writer.ts';

/** A file is cut into chunks of this size, the last one shorter: the least that every hub takes as one blob. */
export const CHUNK_BYTES = 2 ** 20;

/** Bytes of a SHA-256. */
const DIGEST_BYTES = 32;

/** What a file contains: enough to get it from a hub, and to know that one has it. */
export interface Manifest {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970, as whoever wrote the file had it. */
  readonly lastModified: number;
  /** The SHA-256 of each chunk, one after the other. */
  readonly chunks: Uint8Array;
}

/** One chunk, as the hub keeps it. */
export interface Chunk {
  /** Hexadecimal SHA-256. */
  readonly name: string;
  readonly position: number;
  readonly length: number;
}

/** Equal for equal content, and for nothing else. */
export type ContentKey = string;

export function contentKey({ size, chunks }: Pick<Manifest, 'size' | 'chunks'>): ContentKey {
  return `${size}-${hex(chunks.length === DIGEST_BYTES ? chunks : sha256(chunks))}`;
}

export function chunksOf({ size, chunks }: Manifest): Chunk[] {
  return Array.from({ length: chunkCount(size) }, (_, index) => {
    const position = index * CHUNK_BYTES;
    const name = hex(chunks.subarray(index * DIGEST_BYTES, (index + 1) * DIGEST_BYTES));
    return { name, position, length: Math.min(CHUNK_BYTES, size - position) };
  });
}

function chunkCount(size: number): number {
  return Math.ceil(size / CHUNK_BYTES);
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return crypto.createHash('sha256').update(bytes).digest();
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

export function writeManifest(writer: ByteWriter, { size, lastModified, chunks }: Manifest): void {
  writer.integer(size).integer(lastModified).bytes(chunks);
}

/** The last time that a Date can have. */
const LAST_TIME = 8.64e15;

/** A file's time, where a manifest can have it. */
export function manifestTime(milliseconds: number): number {
  return Math.min(Math.max(0, milliseconds), LAST_TIME);
}

/** @throws HoldfastError hub-damaged */
export function readManifest(reader: ByteReader): Manifest {
  const manifest = { size: reader.integer(), lastModified: reader.integer(), chunks: reader.bytes() };
  if (manifest.chunks.length !== chunkCount(manifest.size) * DIGEST_BYTES) throw damaged('a file has not the chunks of its size');
  if (manifest.lastModified > LAST_TIME) throw damaged('a file is of a time that there is not');
  return manifest;
}

/** What a stub holds: the manifest, and a digest, for nobody may take half of it for the whole. */
export function encodeStub(manifest: Manifest): Uint8Array {
  const writer = new ByteWriter();
  writeManifest(writer, manifest);
  const bytes = writer.finish();
  return Buffer.concat([bytes, sha256(bytes)]);
}

/** Null for a stub that the disk has damaged. */
export function decodeStub(bytes: Uint8Array): Manifest | null {
  const end = bytes.length - DIGEST_BYTES;
  if (end < 0 || !sha256(bytes.subarray(0, end)).every((byte, index) => byte === bytes[end + index])) return null;
  return readManifest(new ByteReader(bytes.subarray(0, end)));
}
