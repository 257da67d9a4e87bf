import fs from 'node:fs';
import { withDescriptors } from '../../runtime/descriptors.ts';
import { systemCode } from '../journal/disk-error.ts';
import type { ChunkStore } from './chunk-store.ts';
import type { Captured } from './origin-capture.ts';
import { encodeListing, type ListedFile } from './listing.ts';
import { Moved } from './part.ts';
import type { TakenFile } from './taken.ts';

/** Files are cut into chunks of so many bytes, the last one shorter. */
const CHUNK_BYTES = 2 ** 20;

/** Smaller files share chunks with others. */
const SHARED_BELOW = 2 ** 16;

/** What was read to make a backup, in bytes and files. */
export interface ReadAmount {
  files: number;
  bytes: number;
}

type New = Extract<TakenFile, { readonly kept: null }>;

/** What is to be known of a file that shares a chunk, once that has a name. */
interface Waiting {
  readonly file: New;
  readonly at: number;
  readonly size: number;
}

/** Puts the files of an origin into a store, and what they are made of into its listing. */
export class OriginStorer {
  readonly #store: ChunkStore;
  readonly #read: ReadAmount;
  readonly #files: ListedFile[] = [];
  #shared: Buffer[] = [];
  #sharedBytes = 0;
  #waiting: Waiting[] = [];

  constructor(store: ChunkStore, read: ReadAmount) {
    this.#store = store;
    this.#read = read;
  }

  /**
   * @param onBytes - called now and then, with what was read since.
   * @returns the chunks of the listing, and what it lists
   * @throws HoldfastError when the repository cannot be written; Moved when the draft is gone
   */
  async store({ taken, draft }: Captured, onBytes: (bytes: number) => void): Promise<{ listing: string[]; files: number; bytes: number }> {
    for (const file of taken.files) {
      draft.touch();
      if (file.kept !== null) this.#files.push({ ...file.kept, path: file.path });
      else await this.#storeNew(file, onBytes);
    }
    await this.#endShared();
    const listing: string[] = [];
    const marks = [...taken.marks].map(([path, mark]) => ({ path, mark }));
    for (const chunk of encodeListing({ places: taken.places, directories: [...new Set(taken.directories)], files: this.#files, marks })) {
      listing.push(await this.#store.put(chunk));
    }
    return { listing, files: this.#files.length, bytes: this.#files.reduce((sum, { size }) => sum + size, 0) };
  }

  async #storeNew(file: New, onBytes: (bytes: number) => void): Promise<void> {
    this.#read.files += 1;
    if (typeof file.content !== 'string') return await this.#storeBytes(file, file.content, onBytes);
    if (file.facts.size < SHARED_BELOW) return await this.#storeBytes(file, await readSmall(file.content), onBytes);
    const chunks: string[] = [];
    let size = 0;
    for await (const piece of piecesOf(file.content)) {
      chunks.push(await this.#store.put(piece));
      size += piece.length;
      this.#count(piece.length, onBytes);
    }
    this.#list(file, { size, at: 0, chunks });
  }

  async #storeBytes(file: New, bytes: Buffer, onBytes: (bytes: number) => void): Promise<void> {
    this.#count(bytes.length, onBytes);
    if (bytes.length < SHARED_BELOW) return await this.#share(file, bytes);
    const chunks: string[] = [];
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) chunks.push(await this.#store.put(bytes.subarray(at, at + CHUNK_BYTES)));
    this.#list(file, { size: bytes.length, at: 0, chunks });
  }

  async #share(file: New, bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return this.#list(file, { size: 0, at: 0, chunks: [] });
    if (this.#sharedBytes + bytes.length > CHUNK_BYTES) await this.#endShared();
    this.#waiting.push({ file, at: this.#sharedBytes, size: bytes.length });
    this.#shared.push(bytes);
    this.#sharedBytes += bytes.length;
  }

  async #endShared(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const chunks = [await this.#store.put(Buffer.concat(this.#shared))];
    for (const { file, at, size } of this.#waiting) this.#list(file, { size, at, chunks });
    [this.#shared, this.#sharedBytes, this.#waiting] = [[], 0, []];
  }

  #list({ path, facts, isStub, isFresh }: New, content: Pick<ListedFile, 'size' | 'at' | 'chunks'>): void {
    const { mtime, ino } = facts;
    this.#files.push({ path, mtime, ino, isStub, isFresh: isFresh || content.size !== facts.size, ...content });
  }

  #count(bytes: number, onBytes: (bytes: number) => void): void {
    this.#read.bytes += bytes;
    onBytes(bytes);
  }
}

async function readSmall(file: string): Promise<Buffer> {
  return await withDescriptors(() => fs.promises.readFile(file)).catch(gone);
}

async function* piecesOf(file: string): AsyncGenerator<Buffer, void> {
  const handle = await withDescriptors(() => fs.promises.open(file, 'r')).catch(gone);
  try {
    for (;;) {
      const piece = Buffer.allocUnsafe(CHUNK_BYTES);
      let filled = 0;
      for (let got = -1; got !== 0 && filled < CHUNK_BYTES; filled += got) {
        got = (await handle.read(piece, filled, CHUNK_BYTES - filled, null)).bytesRead;
      }
      if (filled > 0) yield piece.subarray(0, filled);
      if (filled < CHUNK_BYTES) return;
    }
  } finally {
    await handle.close();
  }
}

/** Somebody has removed the draft. */
function gone(error: unknown): never {
  if (systemCode(error) === 'ENOENT') throw new Moved('What was to be read');
  throw error;
}
