import fs from 'node:fs';
import path from 'node:path';
import { fsyncLater } from '../../runtime/more-descriptor-calls.ts';
import { withDescriptors } from '../../runtime/descriptors.ts';
import { randomInteger } from '../../runtime/random.ts';
import { syncPath } from '../root/durable.ts';
import { ENTRY_BYTES, OverQuotaError, weightOf, type Ledger } from '../quota/ledger.ts';
import { systemCode } from '../journal/disk-error.ts';
import { closeQuietly, CREATE, openNew, openPlain, READ } from '../tree/open-plain.ts';
import type { BlobHolds, Claim } from './database-locks.ts';
import { findDeletedFile } from './deleted-databases.ts';
import type { ValueFile } from './record-bytes.ts';
import type { BlobFile, BlobFiles } from './record-database.ts';
import { RecordsDamagedError } from './records-error.ts';

const NAME = /^[1-9][0-9]{0,15}$/;

/** What is known of a file that this realm holds. */
interface Held {
  count: number;
  readonly claim: Claim;
}

/**
 * The files of a database, `blobs/<id>`. Invariants
 * - Ids are drawn by lot out of 2^53, so that nobody has to be asked for one; no file is ever written twice.
 * - What this realm writes it holds before the file is there, so that nobody who looks for garbage takes it for some.
 * - A file is charged for before it is written, and freed after it has gone.
 */
export class BlobDirectory implements BlobFiles {
  readonly path: string;
  /** The database's name. */
  readonly #name: string;
  readonly #ledger: Ledger;
  readonly #holds: BlobHolds;
  /** Called with each file that this realm lets go, which may be garbage now. */
  readonly #onReleased: (id: number) => void;
  readonly #held = new Map<number, Held>();
  /** Written here, and not known to be on the disk. */
  readonly #unsynced = new Set<number>();

  constructor(directory: string, name: string, ledger: Ledger, holds: BlobHolds, onReleased: (id: number) => void) {
    this.path = directory;
    this.#name = name;
    this.#ledger = ledger;
    this.#holds = holds;
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
    return { id, size: stats.size, path: where };
  }

  whereabouts(id: number): string {
    const where = this.pathOf(id);
    return fs.existsSync(where) ? where : (findDeletedFile(path.dirname(path.dirname(this.path)), id) ?? where);
  }

  async write(content: AsyncIterable<Uint8Array>): Promise<BlobFile> {
    const id = randomInteger();
    this.hold(id);
    try {
      const size = await this.#write(id, content);
      return { id, size, path: this.pathOf(id) };
    } catch (error) {
      this.release(id);
      throw error;
    }
  }

  /** The same for a value, whose id its record has already; it is held by whoever calls. */
  async writeValue(id: number, bytes: Uint8Array): Promise<void> {
    await this.#write(id, [bytes]);
  }

  /** @returns the size */
  async #write(id: number, content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): Promise<number> {
    const where = this.pathOf(id);
    this.#ledger.charge(ENTRY_BYTES);
    const descriptor = this.#create(where);
    let size = 0;
    try {
      for await (const chunk of content) {
        this.#ledger.charge(chunk.length);
        size += chunk.length;
        await writeLater(descriptor, chunk);
      }
      fs.closeSync(descriptor);
    } catch (error) {
      closeQuietly(descriptor);
      this.#removeWritten(where, ENTRY_BYTES + size);
      throw asFull(error, where);
    }
    this.#unsynced.add(id);
    return size;
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
    const bytes = await this.#readWhole(where, size);
    if (bytes === null) throw new RecordsDamagedError(`The file ${where} of a database is missing, or cut short.`, where);
    return bytes;
  }

  async #readWhole(where: string, size: number): Promise<Uint8Array | null> {
    try {
      const bytes = await withDescriptors(() => fs.promises.readFile(where));
      return bytes.length === size ? new Uint8Array(bytes.buffer, bytes.byteOffset, size) : null;
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return null;
      throw error;
    }
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
    return names.filter((name) => NAME.test(name)).map(Number).filter(Number.isSafeInteger);
  }

  /** Deletes what nobody needs. */
  remove(id: number): void {
    this.#unsynced.delete(id);
    const where = this.pathOf(id);
    const stats = fs.lstatSync(where, { throwIfNoEntry: false });
    if (stats !== undefined) this.#removeWritten(where, weightOf(stats));
  }
}

/** All of it, behind what was written before, in the thread pool; one write may come back short. */
async function writeLater(descriptor: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) {
    at += await new Promise<number>((resolve, reject) => {
      fs.write(descriptor, bytes, at, bytes.length - at, null, (error, written) => (error === null ? resolve(written) : reject(error)));
    });
  }
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
