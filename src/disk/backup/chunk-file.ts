import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { DamagedChunk } from './backup-error.ts';

/*
 * A chunk as a file: four bytes that say what it is, one that says how the content is stored (0: as it is; 1: deflated),
 * three zeros, the content. Its name is the SHA-256 of the content, so it can be checked, and is the same for whoever
 * stores the same.
 */
const IDENTIFIER = Buffer.from('HFCK');
const HEADER_BYTES = 8;
const METHOD = 4;
const STORED = 0;
const DEFLATED = 1;

/** Bytes of the content of a chunk at most; what claims to hold more is not believed. */
export const MOST_CHUNK_BYTES = 2 ** 22;

/** A content is compressed if this part of it shrinks to less than nine tenths. */
const SAMPLE_BYTES = 16 * 1024;
const PAYS = 0.9;

/** Fast, for a backup is made often and read seldom. */
const LEVEL = 1;

const deflate = promisify(zlib.deflateRaw);
const inflate = promisify(zlib.inflateRaw);

const NAME = /^[0-9a-f]{64}$/;

export function isChunkName(value: unknown): value is string {
  return typeof value === 'string' && NAME.test(value);
}

export function nameOfChunk(content: Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The parts of the file, in order. */
export async function encodeChunk(content: Uint8Array): Promise<Uint8Array[]> {
  const sample = content.subarray(0, SAMPLE_BYTES);
  if (zlib.deflateRawSync(sample, { level: LEVEL }).length >= sample.length * PAYS) return [header(STORED), content];
  const deflated = await deflate(content, { level: LEVEL });
  return deflated.length < content.length ? [header(DEFLATED), deflated] : [header(STORED), content];
}

function header(method: number): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES);
  IDENTIFIER.copy(bytes);
  bytes[METHOD] = method;
  return bytes;
}

/** @throws DamagedChunk */
export async function decodeChunk(name: string, file: Buffer): Promise<Buffer> {
  const content = await contentOf(name, file);
  if (nameOfChunk(content) !== name) throw new DamagedChunk(name, 'is not what it was when it was stored');
  return content;
}

async function contentOf(name: string, file: Buffer): Promise<Buffer> {
  const method = file[METHOD];
  const isOurs = file.length >= HEADER_BYTES && file.subarray(0, METHOD).equals(IDENTIFIER) && file.subarray(METHOD + 1, HEADER_BYTES).every((byte) => byte === 0);
  const body = file.subarray(HEADER_BYTES);
  if (isOurs && method === STORED) return body;
  if (!isOurs || method !== DEFLATED) throw new DamagedChunk(name, 'does not begin as a chunk does');
  try {
    return await inflate(body, { maxOutputLength: MOST_CHUNK_BYTES });
  } catch {
    throw new DamagedChunk(name, 'cannot be decompressed');
  }
}
