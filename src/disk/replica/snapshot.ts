import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { damaged } from './byte-reader.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { ClientTable } from './client-table.ts';
import type { Model } from './model.ts';

/** Bytes of a SHA-256. */
export const DIGEST_BYTES = 32;

const SNAPSHOT_VERSION = 3;

/** Where in a hub's log a base is. */
export interface BaseHead {
  readonly epoch: string;
  readonly position: number;
  /** Of the entry at `position`; empty at 0. */
  readonly digest: Uint8Array;
}

/** The confirmed base with the table of clients: what stands for all entries up to its position (rule 11). */
export function writeBase(writer: ByteWriter, { epoch, position, digest }: BaseHead, clients: ClientTable, model: Model): void {
  writer.byte(SNAPSHOT_VERSION).text(epoch).integer(position).bytes(digest);
  clients.write(writer);
  model.write(writer);
}

/**
 * Fills the table and the model, and reads to the end.
 *
 * @throws HoldfastError `hub-damaged`, and `unknown-record` for what newer code wrote; nothing has changed then
 */
export function readBase(reader: ByteReader, clients: ClientTable, model: Model): BaseHead {
  const version = reader.byte();
  if (version > SNAPSHOT_VERSION) throw new HoldfastError('unknown-record', `A snapshot of a hub is of version ${version}; this Holdfast knows ${SNAPSHOT_VERSION}.`);
  if (version === 0) throw damaged('a snapshot is of no version');
  const head = { epoch: reader.text(), position: reader.integer(), digest: reader.bytes() };
  if (head.digest.length !== (head.position === 0 ? 0 : DIGEST_BYTES)) throw damaged('a digest has another length');
  const table = new ClientTable();
  if (version === 1) table.readOld(reader);
  else if (version === 2) table.readWithoutPlaces(reader);
  else table.read(reader, head.position);
  if (table.horizon > head.position) throw damaged('it forgets what is yet to come');
  model.read(reader);
  clients.adopt(table);
  return head;
}
