import { Buffer } from 'node:buffer';
import { crc32 } from '../journal/checksum.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';

/** The session and sequence of the journal record that made an operation: unique for ever, in all regions. */
export interface OperationId {
  readonly session: number;
  readonly sequence: number;
}

/** What one local write asks for: the kind and payload of its journal record. */
export interface Operation extends OperationId {
  readonly kind: number;
  /** Its own copy. */
  readonly payload: Uint8Array;
}

/** What entries and bases of version 1 tell an operation by, even from one of the same id; others have chains. */
export interface OperationMark extends OperationId {
  /** CRC-32 of kind and payload. */
  readonly check: number;
}

/** No operation has this id. */
export const NO_OPERATION: OperationMark = { session: 0, sequence: 0, check: 0 };

export function markOf({ session, sequence, kind, payload }: Operation): OperationMark {
  return { session, sequence, check: crc32(payload, 0, payload.length, kind) };
}

/** The same in all that it says, not only in its id. */
export function isEqual(a: Operation, b: Operation): boolean {
  return isSameOperation(a, b) && a.kind === b.kind && Buffer.compare(a.payload, b.payload) === 0;
}

export function isSameOperation(a: OperationId, b: OperationId): boolean {
  return a.session === b.session && a.sequence === b.sequence;
}

export function writeOperation(writer: ByteWriter, { session, sequence, kind, payload }: Operation): void {
  writer.integer(session).integer(sequence).byte(kind).bytes(payload);
}

export function readOperation(reader: ByteReader): Operation {
  return { ...readId(reader), kind: reader.byte(), payload: reader.bytes() };
}

export function writeMark(writer: ByteWriter, mark: OperationMark): void {
  writeId(writer, mark);
  writer.integer(mark.check);
}

export function readMark(reader: ByteReader): OperationMark {
  return { ...readId(reader), check: reader.integer() };
}

export function writeId(writer: ByteWriter, { session, sequence }: OperationId): void {
  writer.integer(session).integer(sequence);
}

export function readId(reader: ByteReader): OperationId {
  return { session: reader.integer(), sequence: reader.integer() };
}
