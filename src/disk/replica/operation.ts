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

/** No operation has this id: what comes before an incarnation's first. */
export const NO_OPERATION: OperationId = { session: 0, sequence: 0 };

export function isSameOperation(a: OperationId, b: OperationId): boolean {
  return a.session === b.session && a.sequence === b.sequence;
}

export function writeOperation(writer: ByteWriter, { session, sequence, kind, payload }: Operation): void {
  writer.integer(session).integer(sequence).byte(kind).bytes(payload);
}

export function readOperation(reader: ByteReader): Operation {
  return { ...readId(reader), kind: reader.byte(), payload: reader.bytes() };
}

export function writeId(writer: ByteWriter, { session, sequence }: OperationId): void {
  writer.integer(session).integer(sequence);
}

export function readId(reader: ByteReader): OperationId {
  return { session: reader.integer(), sequence: reader.integer() };
}
