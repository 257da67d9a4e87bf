import { getUint32, getUint53, putUint32, putUint53 } from '../../disk/journal/bytes.ts';
import type { SnapshotRecord } from '../../disk/journal/machine.ts';
import { damaged, LEAVE, OWN, TURN, unknownRecord } from '../../disk/coordinator/owned-records.ts';
import { CRC_BYTES, isWhole, restoreSnapshot, seal, sealedSnapshot } from './sealed.ts';

/*
 * What a coordinator in regions has in its hub's log. docs/FORMAT.md, "Coordinators in a hub", is the same in words.
 *
 *   entry     version, kind, session, sequence, seen, lease, payload as in the journal of a coordinator, CRC-32
 *   snapshot  version, position of the owner's last entry, its sequence, its lease, n × (kind, length, payload), CRC-32
 */
const VERSION = 1;
const HEADER_BYTES = 26;

/** One entry. */
export interface RegionRecord {
  readonly kind: number;
  readonly session: number;
  readonly sequence: number;
  /** OWN: the position of the last entry that its writer had seen. */
  readonly seen: number;
  /** OWN: for how long its writer may answer reads without asking, in milliseconds; 0: never. */
  readonly lease: number;
  readonly payload: Uint8Array;
}

export function encodeEntry({ kind, session, sequence, seen, lease, payload }: RegionRecord): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length + CRC_BYTES);
  bytes[0] = VERSION;
  bytes[1] = kind;
  putUint53(bytes, 2, session);
  putUint32(bytes, 10, sequence);
  putUint53(bytes, 14, seen);
  putUint32(bytes, 22, lease);
  bytes.set(payload, HEADER_BYTES);
  return seal(bytes);
}

/** Null: it makes no sense, and has no effect anywhere. @throws HoldfastError unknown-record for one of a newer version */
export function decodeEntry(bytes: Uint8Array): RegionRecord | null {
  if (!isWhole(bytes, HEADER_BYTES)) return null;
  if (bytes[0] !== VERSION) throw unknownRecord(`An entry of version ${bytes[0]}`);
  const kind = bytes[1] ?? 0;
  if (![OWN, TURN, LEAVE].includes(kind)) throw unknownRecord(`An entry of kind ${kind}`);
  const payload = bytes.subarray(HEADER_BYTES, bytes.length - CRC_BYTES);
  return { kind, session: getUint53(bytes, 2), sequence: getUint32(bytes, 10), seen: getUint53(bytes, 14), lease: getUint32(bytes, 22), payload };
}

/** The last entry of an owner that had effect. */
export interface LastEntry {
  readonly position: number;
  readonly sequence: number;
  readonly lease: number;
}

const SNAPSHOT_HEADER_BYTES = 17;

export function encodeSnapshot({ position, sequence, lease }: LastEntry, records: Iterable<SnapshotRecord>): Uint8Array {
  const header = new Uint8Array(SNAPSHOT_HEADER_BYTES);
  header[0] = VERSION;
  putUint53(header, 1, position);
  putUint32(header, 9, sequence);
  putUint32(header, 13, lease);
  return sealedSnapshot(header, records);
}

/** @throws HoldfastError journal-damaged, unknown-record */
export function decodeSnapshot(bytes: Uint8Array, restore: (kind: number, payload: Uint8Array) => void): LastEntry {
  if (!isWhole(bytes, SNAPSHOT_HEADER_BYTES)) throw damaged('the snapshot in the hub is damaged');
  if (bytes[0] !== VERSION) throw unknownRecord(`A snapshot of version ${bytes[0]}`);
  restoreSnapshot(bytes, SNAPSHOT_HEADER_BYTES, restore);
  return { position: getUint53(bytes, 1), sequence: getUint32(bytes, 9), lease: getUint32(bytes, 13) };
}
