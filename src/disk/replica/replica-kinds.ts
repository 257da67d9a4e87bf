/*
 * The kinds of the records by which a journal follows a hub; replica-records.ts says what is in them.
 */
export const REPLICATE = 64;
export const INCARNATION = 65;
export const ENTRY = 66;
export const BASE = 67;
export const LINK = 68;
export const ACKNOWLEDGE = 69;
/** In snapshots only. */
export const OLD_REPLICA = 70;
/** In snapshots only. */
export const REPLICA = 71;
export const TOLD = 72;
export const SEND = 73;

/** Whether a record says what becomes of a replica. */
export function isReplicaRecord(kind: number): boolean {
  return (kind >= REPLICATE && kind <= ACKNOWLEDGE) || kind === TOLD || kind === SEND;
}

/** Whether a record of a snapshot is a part of a replica's state. */
export function isReplicaPart(kind: number): boolean {
  return kind === REPLICA || kind === OLD_REPLICA;
}
