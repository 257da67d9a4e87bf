import { decodeAlarm, FORGET, MOVE, NOTE } from '../../disk/coordinator/alarm-records.ts';
import type { AlarmRecord } from '../../disk/coordinator/alarm-records.ts';
import { requireClassName, requireName } from '../../disk/coordinator/coordinator-place.ts';
import type { SnapshotRecord } from '../../disk/journal/machine.ts';
import { damaged, unknownRecord } from '../../disk/coordinator/owned-records.ts';
import { CRC_BYTES, isWhole, restoreSnapshot, seal, sealedSnapshot } from './sealed.ts';

/*
 * What a hub has of when coordinators are to be woken, and of which there are. docs/FORMAT.md, "Coordinators in a hub", is
 * the same in words.
 *
 *   entry     version, kind, payload as in a root's index of alarms, CRC-32
 *   snapshot  version, n × (kind, length, payload), CRC-32
 */
const VERSION = 1;
const HEADER_BYTES = 2;

export function encodeIndexEntry(kind: number, payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES + payload.length + CRC_BYTES);
  bytes[0] = VERSION;
  bytes[1] = kind;
  bytes.set(payload, HEADER_BYTES);
  return seal(bytes);
}

export interface IndexEntry {
  readonly kind: number;
  readonly payload: Uint8Array;
  readonly record: AlarmRecord;
}

/** Null: it makes no sense, and has no effect anywhere. @throws HoldfastError unknown-record for one of a newer version */
export function decodeIndexEntry(bytes: Uint8Array): IndexEntry | null {
  if (!isWhole(bytes, HEADER_BYTES)) return null;
  if (bytes[0] !== VERSION) throw unknownRecord(`An entry of version ${bytes[0]}`);
  const kind = bytes[1] ?? 0;
  if (![NOTE, MOVE, FORGET].includes(kind)) throw unknownRecord(`An entry of kind ${kind}`);
  const payload = bytes.subarray(HEADER_BYTES, bytes.length - CRC_BYTES);
  const record = recordIn(payload);
  return record === null ? null : { kind, payload, record };
}

/** Somebody with the token may have written anything. */
function recordIn(payload: Uint8Array): AlarmRecord | null {
  try {
    const record = decodeAlarm(payload);
    if (record.key.isEncrypted === true) return null;
    requireClassName(record.key.className);
    requireName(record.key.name);
    return record;
  } catch {
    return null;
  }
}

export function encodeIndexSnapshot(records: Iterable<SnapshotRecord>): Uint8Array {
  return sealedSnapshot(Uint8Array.of(VERSION), records);
}

/** @throws HoldfastError journal-damaged, unknown-record */
export function decodeIndexSnapshot(bytes: Uint8Array, restore: (kind: number, payload: Uint8Array) => void): void {
  if (!isWhole(bytes, 1)) throw damaged('the snapshot of an index in the hub is damaged');
  if (bytes[0] !== VERSION) throw unknownRecord(`A snapshot of version ${bytes[0]}`);
  restoreSnapshot(bytes, 1, restore);
}
