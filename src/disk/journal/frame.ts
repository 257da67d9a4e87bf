import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { getUint32, getUint53, putUint32, putUint53 } from './bytes.ts';
import { crc32 } from './checksum.ts';
import type { JournalRecord } from './machine.ts';
import type { Magic } from './magic.ts';

/* The layout is in docs/FORMAT.md, "Frame". Offsets from the frame's first byte. */
const LENGTH = 16;
const KIND = 20;
const FLAGS = 21;
const SESSION = 24;
const SEQUENCE = 32;
const MASK = 36;
const HEADER_CHECKSUM = 40;
export const HEADER_BYTES = 44;
const CHECKSUM_BYTES = 4;
export const TRAILER_BYTES = CHECKSUM_BYTES + 1;
/**
 * The last byte of a frame. No magic holds it, so that the next frame cannot complete one that was cut short in its
 * last bytes, by bytes that happen to be the missing ones.
 */
const TERMINATOR = 0;

const MASKED = 1;

/** What a frame adds to its payload. */
export const FRAME_OVERHEAD = HEADER_BYTES + TRAILER_BYTES;
/** The longest payload, in bytes: a bound on what one reader must hold in memory. */
export const MAX_PAYLOAD = 2 ** 28;

/** Kinds that belong to the journal itself; machines own 1 to 199. */
export const FIRST_JOURNAL_KIND = 200;
export const SEAL_KIND = 200;
export const END_OF_SNAPSHOT_KIND = 201;

const nothing = new Uint8Array(0);

/** A frame that was read; one object is used again and again, so that replay allocates only views. */
export class Frame implements JournalRecord {
  kind = 0;
  session = 0;
  sequence = 0;
  payload: Uint8Array = nothing;
  /** How many bytes the frame takes in its file. */
  size = 0;
}

/**
 * Writes a frame into `out` at `at` and returns where it ends.
 *
 * A payload that would make the frame hold the magic a second time is masked until it does not.
 */
export function encodeFrame(out: Uint8Array, at: number, magic: Magic, record: JournalRecord): number {
  const { payload } = record;
  const end = at + FRAME_OVERHEAD + payload.length;
  out.set(magic.bytes, at);
  putUint32(out, at + LENGTH, payload.length);
  putUint32(out, at + KIND, record.kind);
  putUint53(out, at + SESSION, record.session);
  putUint32(out, at + SEQUENCE, record.sequence);
  putUint32(out, at + MASK, 0);
  out.set(payload, at + HEADER_BYTES);
  putChecksums(out, at, end);
  if (magic.find(out, at + 1, end) !== -1) maskUntilClean(out, at, end, magic, payload);
  return end;
}

function putChecksums(out: Uint8Array, at: number, end: number): void {
  const header = crc32(out, at + LENGTH, at + HEADER_CHECKSUM);
  putUint32(out, at + HEADER_CHECKSUM, header);
  putUint32(out, end - TRAILER_BYTES, crc32(out, at + HEADER_BYTES, end - TRAILER_BYTES, header));
  out[end - 1] = TERMINATOR;
}

function maskUntilClean(out: Uint8Array, at: number, end: number, magic: Magic, payload: Uint8Array): void {
  for (let attempt = 0; attempt < 64; attempt++) {
    const mask = Math.floor(Math.random() * 0xffff_ffff) + 1;
    out[at + FLAGS] = MASKED;
    putUint32(out, at + MASK, mask);
    applyMask(payload, mask, out, at + HEADER_BYTES);
    putChecksums(out, at, end);
    if (magic.find(out, at + 1, end) === -1) return;
  }
  throw new HoldfastError('disk-failed', 'A record holds the magic of its journal under 64 random masks; this cannot be chance.');
}

function applyMask(source: Uint8Array, mask: number, target: Uint8Array, at: number): void {
  const key = [mask & 0xff, (mask >>> 8) & 0xff, (mask >>> 16) & 0xff, mask >>> 24];
  for (let index = 0; index < source.length; index++) target[at + index] = (source[index] ?? 0) ^ (key[index & 3] ?? 0);
}

/**
 * What stands at a position, as far as the bytes seen tell. `bad` is final; `partial` may still become a frame. A
 * frame never holds the magic of its generation a second time, so that bytes which do are `bad` whatever follows.
 */
export type Verdict = 'whole' | 'partial' | 'bad';

/** Judges `bytes[at, to)`; on `whole` fills `frame`, whose payload is then a view of `bytes` unless it was masked. */
export function decodeFrame(bytes: Uint8Array, at: number, to: number, magic: Magic, frame: Frame): Verdict {
  if (to - at < FRAME_OVERHEAD) return 'partial';
  if (!magic.isAt(bytes, at)) return 'bad';
  const header = crc32(bytes, at + LENGTH, at + HEADER_CHECKSUM);
  if (header !== getUint32(bytes, at + HEADER_CHECKSUM)) return 'bad';
  const length = getUint32(bytes, at + LENGTH);
  if (length > MAX_PAYLOAD) return 'bad';
  const end = at + FRAME_OVERHEAD + length;
  if (magic.find(bytes, at + 1, Math.min(end, to)) !== -1) return 'bad';
  if (end > to) return 'partial';
  if (bytes[end - 1] !== TERMINATOR) return 'bad';
  const body = at + HEADER_BYTES;
  if (crc32(bytes, body, body + length, header) !== getUint32(bytes, body + length)) return 'bad';
  frame.kind = bytes[at + KIND] ?? 0;
  frame.session = getUint53(bytes, at + SESSION);
  frame.sequence = getUint32(bytes, at + SEQUENCE);
  frame.size = FRAME_OVERHEAD + length;
  frame.payload = bytes.subarray(body, body + length);
  if (bytes[at + FLAGS] === MASKED) frame.payload = unmasked(frame.payload, getUint32(bytes, at + MASK));
  return 'whole';
}

function unmasked(payload: Uint8Array, mask: number): Uint8Array {
  const plain = new Uint8Array(payload.length);
  applyMask(payload, mask, plain, 0);
  return plain;
}
