import { Buffer } from 'node:buffer';
import { getUint32, putUint32 } from '../../disk/journal/bytes.ts';
import { crc32 } from '../../disk/journal/checksum.ts';
import type { SnapshotRecord } from '../../disk/journal/machine.ts';
import { damaged } from '../../disk/coordinator/owned-records.ts';

/** What a hub keeps of coordinators ends with a CRC-32 of all before it. */
export const CRC_BYTES = 4;

/** A record within a snapshot has its kind and its length before it. */
const RECORD_HEADER_BYTES = 5;

/** Writes the check into the last bytes. */
export function seal(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - CRC_BYTES;
  putUint32(bytes, end, crc32(bytes, 0, end));
  return bytes;
}

/** Whether the check is that of the rest, and a header of so many bytes has room. */
export function isWhole(bytes: Uint8Array, header: number): boolean {
  const end = bytes.length - CRC_BYTES;
  return end >= header && crc32(bytes, 0, end) === getUint32(bytes, end);
}

export function sealedSnapshot(header: Uint8Array, records: Iterable<SnapshotRecord>): Uint8Array {
  const parts: Uint8Array[] = [header];
  for (const { kind, payload } of records) {
    const head = new Uint8Array(RECORD_HEADER_BYTES);
    head[0] = kind;
    putUint32(head, 1, payload.length);
    // A payload is valid until the next one.
    parts.push(head, new Uint8Array(payload));
  }
  return seal(Buffer.concat([...parts, new Uint8Array(CRC_BYTES)]));
}

/** Gives the records of a snapshot that is whole. @throws HoldfastError journal-damaged */
export function restoreSnapshot(bytes: Uint8Array, header: number, restore: (kind: number, payload: Uint8Array) => void): void {
  const end = bytes.length - CRC_BYTES;
  for (let at = header; at < end; ) {
    const from = at + RECORD_HEADER_BYTES;
    const to = from + getUint32(bytes, at + 1);
    if (from > end || to > end) throw damaged('a snapshot in the hub is cut short');
    restore(bytes[at] ?? 0, bytes.subarray(from, to));
    at = to;
  }
}
