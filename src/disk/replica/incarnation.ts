import { Buffer } from 'node:buffer';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/**
 * The name under which a replica numbers its operations: a UUIDv7 in lower-case hexadecimal with dashes. Each opening
 * mints another, so that a disk that was restored or cloned never gives one number to two operations for long.
 */
export type Incarnation = string;

const BYTES = 16;

const NOBODY = Buffer.alloc(BYTES);

export function writeIncarnation(writer: ByteWriter, incarnation: Incarnation): void {
  writer.raw(incarnation === '' ? NOBODY : Buffer.from(incarnation.replaceAll('-', ''), 'hex'));
}

export function readIncarnation(reader: ByteReader): Incarnation {
  const digits = reader.take(BYTES).toString('hex');
  return `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`;
}
