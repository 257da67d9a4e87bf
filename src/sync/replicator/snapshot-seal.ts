import { ByteReader, damaged } from '../../disk/replica/byte-reader.ts';
import { ByteWriter } from '../../disk/replica/byte-writer.ts';
import { DIGEST_BYTES, readBase, writeBase } from '../../disk/replica/snapshot.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import { ClientTable } from '../../disk/replica/client-table.ts';
import type { BaseHead } from '../../disk/replica/snapshot.ts';
import type { Model } from '../../disk/replica/model.ts';
import { requirePlain } from '../sealed-version.ts';
import { isSameDigest, sha256 } from './digest.ts';

/** The confirmed base of a replica as `writeBase` has it; `epoch` where the replica does not know it yet. */
export function baseOf({ position, digest, clients, model }: Replica, epoch: string): Uint8Array {
  const writer = new ByteWriter();
  writeBase(writer, { epoch, position, digest }, clients, model);
  return writer.finish();
}

/** (11) A base with the SHA-256 of it behind: what hubs keep as snapshots. */
export function seal(base: Uint8Array): Uint8Array {
  return new ByteWriter().raw(base).raw(sha256(base)).finish();
}

/** @throws HoldfastError hub-damaged, key-missing for one that is encrypted */
export function unseal(bytes: Uint8Array): Uint8Array {
  requirePlain(bytes);
  const end = bytes.length - DIGEST_BYTES;
  if (end < 0) throw damaged('a snapshot is shorter than its digest');
  const base = bytes.subarray(0, end);
  if (!isSameDigest(sha256(base), bytes.subarray(end))) throw damaged('a snapshot has another digest than it says');
  return base;
}

/**
 * Reads a base into a model that is thrown away: what does not throw here does not throw in a journal either, where it
 * would stop every process for good.
 *
 * @throws HoldfastError hub-damaged
 */
export function examineBase(base: Uint8Array, model: Model): BaseHead {
  return readBase(new ByteReader(base), new ClientTable(), model);
}
