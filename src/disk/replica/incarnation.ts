import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/**
 * The name under which a replica numbers its operations: a UUIDv7 in lower-case hexadecimal with dashes. Each opening
 * mints another, so that a disk that was restored or cloned never gives one number to two operations for long.
 */
export type Incarnation = string;

const BYTES = 16;

export function writeIncarnation(writer: ByteWriter, incarnation: Incarnation): void {
  const digits = incarnation.replaceAll('-', '');
  for (let at = 0; at < 2 * BYTES; at += 2) writer.byte(Number.parseInt(digits.slice(at, at + 2), 16));
}

export function readIncarnation(reader: ByteReader): Incarnation {
  const digits = Array.from(reader.bytes(BYTES), (byte) => byte.toString(16).padStart(2, '0')).join('');
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}
