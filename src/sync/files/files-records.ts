import { ByteReader } from '../../disk/replica/byte-reader.ts';
import { ByteWriter } from '../../disk/replica/byte-writer.ts';

/*
 * The records of the journal of synced files, beside those of replica-records.ts. docs/FORMAT.md, "Synced files", is
 * the same in words.
 *
 *   LOCAL    a CHANGE that was found on the disk, and the fingerprint of each file of it
 *   APPLIED  any number of: locator, what is there now
 */
export const LOCAL = 1;
export const APPLIED = 2;

export interface LocalRecord {
  /** A CHANGE. */
  readonly change: Uint8Array;
  /** Of its FILE steps, in their order. */
  readonly fingerprints: readonly string[];
}

export function encodeLocal({ change, fingerprints }: LocalRecord): Uint8Array {
  const writer = new ByteWriter().bytes(change).integer(fingerprints.length);
  for (const fingerprint of fingerprints) writer.text(fingerprint);
  return writer.finish();
}

export function decodeLocal(payload: Uint8Array): LocalRecord {
  const reader = new ByteReader(payload);
  const change = reader.bytes();
  const fingerprints = Array.from({ length: reader.integer() }, () => reader.text());
  return { change, fingerprints };
}
