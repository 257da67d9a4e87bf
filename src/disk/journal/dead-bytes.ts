import fs from 'node:fs';
import { warn } from '../../runtime/warning.ts';
import { getUint32 } from './bytes.ts';
import { crc32 } from './checksum.ts';
import { FRAME_OVERHEAD, HEADER_BYTES, MAX_PAYLOAD } from './frame.ts';
import type { Magic } from './magic.ts';

/** Of a longer stretch only the beginning is looked at. */
const LONGEST = 2 ** 26;

const told = new Set<string>();

/** Tells, once in this realm, of dead bytes that are damage. What a killed process or a full disk has cut short is none. */
export function tellDamage(descriptor: number, path: string, magic: Magic, from: number, to: number): void {
  const key = `${path}:${from}`;
  if (told.has(key) || !isDamage(descriptor, magic, from, to)) return;
  told.add(key);
  const message = `The journal ${path} is damaged: ${to - from} bytes at offset ${from} make no sense and are passed over. What was written there is lost.`;
  warn({ code: 'record-damaged', message, path });
}

function isDamage(descriptor: number, magic: Magic, from: number, to: number): boolean {
  try {
    for (const piece of deadPieces(descriptor, magic, from, to)) if (piece.isDamage) return true;
  } catch {
    // What cannot be read now is told of when it is read.
  }
  return false;
}

/** What was one write, once. */
export interface DeadPiece {
  readonly from: number;
  readonly to: number;
  /** Whether it has the length of a whole frame; what a killed process or a full disk has cut short has not. */
  readonly isDamage: boolean;
}

/**
 * Takes a stretch of dead bytes apart; nothing comes of one that is not there any more.
 *
 * @throws the operating system's error
 */
export function* deadPieces(descriptor: number, magic: Magic, from: number, to: number): Generator<DeadPiece, void> {
  const bytes = new Uint8Array(Math.min(to - from, LONGEST));
  if (fs.readSync(descriptor, bytes, 0, bytes.length, from) < bytes.length) return;
  for (let at = 0; at < bytes.length; ) {
    const found = magic.find(bytes, at + 1, bytes.length);
    const next = found === -1 ? bytes.length : found;
    yield { from: from + at, to: found === -1 ? to : from + found, isDamage: next - at >= wholeLength(bytes, at, next) };
    at = next;
  }
}

/** How long the frame would be that begins there; one that was cut short ends before. */
function wholeLength(bytes: Uint8Array, at: number, next: number): number {
  if (next - at < HEADER_BYTES) return FRAME_OVERHEAD;
  const length = getUint32(bytes, at + 16);
  const isHeader = crc32(bytes, at + 16, at + 40) === getUint32(bytes, at + 40) && length <= MAX_PAYLOAD;
  return isHeader ? FRAME_OVERHEAD + length : HEADER_BYTES;
}
