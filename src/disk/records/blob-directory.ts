import fs from 'node:fs';
import path from 'node:path';
import { fsyncLater } from '../../runtime/more-descriptor-calls.ts';
import { withDescriptors } from '../../runtime/descriptors.ts';
import type { SealedBytes } from '../../runtime/disk-range.ts';
import { randomInteger } from '../../runtime/random.ts';
import { syncPath } from '../root/durable.ts';
import { ENTRY_BYTES, OverQuotaError, weightOf, type Ledger } from '../quota/ledger.ts';
import { systemCode } from '../journal/disk-error.ts';
import { PlainContent, type Content } from '../tree/content.ts';
import { inPieces } from '../tree/in-pieces.ts';
import { closeQuietly, CREATE, openNew, openPlain, READ } from '../tree/open-plain.ts';
import type { DatabaseSealing, WrittenOnce } from '../tree/sealing.ts';
import type { BlobHolds, Claim } from './database-locks.ts';
import { findDeletedFile } from './deleted-databases.ts';
import type { ValueFile } from './record-bytes.ts';
import type { BlobFile, BlobFiles } from './record-database.ts';
import { RecordsDamagedError } from './records-error.ts';

/** What files of their own are called. */
export const BLOB_NAME = /^[1-9][0-9]{0,15}$/;

/** What is known of a file that this realm holds. */
interface Held {
  count: number;
  readonly claim: Claim;
}

/** What files of a database need of it. */
interface BlobsPlace {
  /** The database's name. */
  readonly name: string;
  readonly ledger: Ledger;
  readonly holds: BlobHolds;
  /** Undefined: they are not encrypted. */
  readonly sealing: DatabaseSealing | undefined;
}

/**
 * The files of a database, `blobs/<id>`. Invariants
 * - Ids are drawn by lot out of 2^53, so that nobody has to be asked for one; no file is ever written twice.
 * - What this realm writes it holds before the file is there, so that nobody who looks for garbage takes it for some.
 * - A file is charged for before it is written, and freed after it has gone: what it takes of the disk.
 */
export class BlobDirectory implements BlobFiles {
  readonly path: string;
  readonly #name: string;
  readonly #ledger: Ledger;
  readonly #holds: BlobHolds;
  readonly #sealing: DatabaseSealing | undefined;
  /** Called with each file that this realm lets go, which may be garbage now. */
  readonly #onReleased: (id: number) => void;
  readonly #held = new Map<number, Held>();
  /** Written here, and not known to be on the disk. */
  readonly #unsynced = new Set<number>();

  constructor(directory: string, { name, ledger, holds, sealing }: BlobsPlace, onReleased: (id: number) => void) {
    this.path = directory;
    this.#name = name;
    this.#ledger = ledger;
    this.#holds = holds;
    this.#sealing = sealing;
    this.#onReleased = onReleased;
  }

  pathOf(id: number): string {
    return path.join(this.path, String(id));
  }

  hold(id: number): void {
    const held = this.#held.get(id);
    if (held === undefined) this.#held.set(id, { count: 1, claim: this.#holds.hold(this.#name, id) });
    else held.count += 1;
  }

  release(id: number): void {
    const held = this.#held.get(id);
    if (held === undefined || --held.count > 0) return;
    this.#held.delete(id);
    held.claim.release();
    this.#onReleased(id);
  }

  /** Whether any realm holds it. */
  isHeld(id: number): boolean {
    return this.#held.has(id) || this.#holds.isHeld(this.#name, id);
  }

  file(id: number): BlobFile {
    const where = this.pathOf(id);
    const stats = fs.lstatSync(where, { throwIfNoEntry: false });
    if (stats?.isFile() !== true) throw new RecordsDamagedError(`The file ${where} of a database is missing.`, where);
    const sealed = this.#sealedBytes(id, where);
    return { id, size: sealed?.size ?? stats.size, path: where, ...(sealed && { sealed }) };
  }

  /** How an encrypted file is read. */
  #sealedBytes(id: number, where: string): SealedBytes | undefined {
    const sealing = this.#sealing?.blob(id);
    if (sealing === undefined) return undefined;
    return { size: sizeOf(sealing, where), reader: (file) => inPieces(sealing.read(file, where)) };
  }

  whereabouts(id: number): string {
    const where = this.pathOf(id);
    return fs.existsSync(where) ? where : (findDeletedFile(path.dirname(path.dirname(this.path)), id) ?? where);
  }

  async write(content: AsyncIterable<Uint8Array>): Promise<BlobFile> {
    const id = randomInteger();
    this.hold(id);
    try {
      await this.#write(id, content);
      return this.file(id);
    } catch (error) {
      this.release(id);
      throw error;
    }
  }

  /** The same for a value, whose id its record has already; it is held by whoever calls. */
  async writeValue(id: number, bytes: Uint8Array): Promise<void> {
    await this.#write(id, [bytes]);
  }

  async #write(id: number, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<void> {
    const where = this.pathOf(id);
    this.#ledger.charge(ENTRY_BYTES);
    const descriptor = this.#create(where);
    const charged = new Charged(this.#ledger);
    try {
      await fill(this.#sealing?.blob(id).write(descriptor, where) ?? new PlainContent(descriptor), source, charged);
      fs.closeSync(descriptor);
    } catch (error) {
      closeQuietly(descriptor);
      this.#removeWritten(where, ENTRY_BYTES + charged.bytes);
      throw asFull(error, where);
    }
    this.#unsynced.add(id);
  }

  #create(where: string): number {
    try {
      return openNew(where, CREATE);
    } catch (error) {
      this.#ledger.refund(ENTRY_BYTES);
      throw asFull(error, where);
    }
  }

  #removeWritten(where: string, charged: number): void {
    const mark = this.#ledger.mark();
    fs.rmSync(where, { force: true });
    this.#ledger.free(charged, mark);
  }

  /** @throws RecordsDamagedError when it is not as long as it was written */
  async read({ id, size }: ValueFile): Promise<Uint8Array> {
    const where = this.pathOf(id);
    const bytes = await (this.#sealing === undefined ? readWhole(where, size) : readSealed(this.#sealing.blob(id), where, size));
    if (bytes === null) throw new RecordsDamagedError(`The file ${where} of a database is missing, or cut short.`, where);
    return bytes;
  }

  /** Has the disk keep those of the files that were written here, and their names. */
  async sync(ids: Iterable<number>): Promise<void> {
    const unsynced = [...ids].filter((id) => this.#unsynced.delete(id));
    if (unsynced.length === 0) return;
    await Promise.all(unsynced.map((id) => syncFile(this.pathOf(id))));
    syncPath(this.path);
  }

  /** The ids of all files that are there; none where the directory has gone. */
  async list(): Promise<number[]> {
    const names = await fs.promises.readdir(this.path).catch((error: unknown): string[] => {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    });
    return names.filter((name) => BLOB_NAME.test(name)).map(Number).filter(Number.isSafeInteger);
  }

  /** Deletes what nobody needs. */
  remove(id: number): void {
    this.#unsynced.delete(id);
    const where = this.pathOf(id);
    const stats = fs.lstatSync(where, { throwIfNoEntry: false });
    if (stats !== undefined) this.#removeWritten(where, weightOf(stats));
  }
}

/** What a file has been charged, beside that it is there. */
class Charged {
  readonly #ledger: Ledger;
  bytes = 0;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** @throws OverQuotaError */
  cover(bytes: number): void {
    if (bytes <= this.bytes) return;
    this.#ledger.charge(bytes - this.bytes);
    this.bytes = bytes;
  }
}

async function fill(content: Content, source: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, charged: Charged): Promise<void> {
  let size = 0;
  for await (const chunk of source) {
    charged.cover(content.stored(size + chunk.length));
    await writeLater(content, chunk, size);
    size += chunk.length;
  }
  charged.cover(content.stored(size));
  content.finish();
}

/** All of it, in the thread pool where that is worth it; one write may come back short. */
async function writeLater(content: Content, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += await content.writeLater(bytes.subarray(at), position + at);
}

/** Null: it is missing, or not so long. */
async function readWhole(where: string, size: number): Promise<Uint8Array | null> {
  try {
    const bytes = await withDescriptors(() => fs.promises.readFile(where));
    return bytes.length === size ? new Uint8Array(bytes.buffer, bytes.byteOffset, size) : null;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** The same of an encrypted file. @throws RecordsDamagedError */
async function readSealed(sealing: WrittenOnce, where: string, size: number): Promise<Uint8Array | null> {
  let descriptor = -1;
  try {
    descriptor = openPlain(where, READ);
    const content = sealing.read(descriptor, where);
    return content.size() === size ? await readAll(inPieces(content), size) : null;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw asDamaged(error, where);
  } finally {
    if (descriptor >= 0) closeQuietly(descriptor);
  }
}

/** Null: there is less. */
async function readAll(read: ReturnType<SealedBytes['reader']>, size: number): Promise<Uint8Array | null> {
  const bytes = new Uint8Array(size);
  let filled = 0;
  for (let count = -1; count !== 0 && filled < size; filled += count) count = await read(bytes.subarray(filled), filled);
  return filled === size ? bytes : null;
}

function sizeOf(sealing: WrittenOnce, where: string): number {
  const descriptor = openPlain(where, READ);
  try {
    return sealing.read(descriptor, where).size();
  } catch (error) {
    throw asDamaged(error, where);
  } finally {
    closeQuietly(descriptor);
  }
}

/** What is not what was written. */
function asDamaged(error: unknown, where: string): unknown {
  return systemCode(error) === 'EDAMAGED' ? new RecordsDamagedError(`The file ${where} of a database is damaged.`, where, { cause: error }) : error;
}

async function syncFile(where: string): Promise<void> {
  const descriptor = openPlain(where, READ);
  try {
    await fsyncLater(descriptor, where);
  } finally {
    closeQuietly(descriptor);
  }
}

/** Where the disk is full, what every writer is told. */
function asFull(error: unknown, where: string): unknown {
  return ['ENOSPC', 'EDQUOT'].includes(systemCode(error)) ? new OverQuotaError(`The disk of ${where} is full.`, 0, 0) : error;
}
