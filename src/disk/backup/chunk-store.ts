import fs from 'node:fs';
import path from 'node:path';
import { withDescriptors } from '../../runtime/descriptors.ts';
import { randomUuid } from '../../runtime/random.ts';
import { systemCode } from '../journal/disk-error.ts';
import { syncPath } from '../root/durable.ts';
import { DamagedChunk, repositoryFailure } from './backup-error.ts';
import { decodeChunk, encodeChunk, isChunkName, MOST_CHUNK_BYTES, nameOfChunk } from './chunk-file.ts';

/** Chunks that are compressed and written at the same time. */
const AT_ONCE = 4;

/** What a chunk's file may have beside its content. */
const MARGIN = 1024;

/** What was put into a store since it was opened. */
export interface StoredAmount {
  chunks: number;
  /** As they are in the store, compressed. */
  bytes: number;
}

/**
 * The chunks of a repository, each a file under the SHA-256 of its content. Invariants:
 * - a chunk has its name once it is whole and on the disk, and is never changed afterwards;
 * - what is named by nothing does no harm: a kill leaves it, and the next prune takes it.
 */
export class ChunkStore {
  readonly stored: StoredAmount = { chunks: 0, bytes: 0 };
  readonly #repository: string;
  readonly #known: Set<string>;
  readonly #pending = new Set<Promise<void>>();
  readonly #touched = new Set<string>();
  #failure: unknown = null;

  constructor(repository: string, known: Set<string> = new Set()) {
    this.#repository = repository;
    this.#known = known;
  }

  /** All that are there, by one look at each directory. @throws HoldfastError */
  static names(repository: string): Set<string> {
    const names = new Set<string>();
    for (const directory of listed(path.join(repository, 'chunks'))) {
      if (!/^[0-9a-f]{2}$/.test(directory)) continue;
      for (const name of listed(path.join(repository, 'chunks', directory))) if (isChunkName(name)) names.add(name);
    }
    return names;
  }

  has(name: string): boolean {
    return this.#known.has(name);
  }

  pathOf(name: string): string {
    return path.join(this.#repository, 'chunks', name.slice(0, 2), name);
  }

  /** Stores a content unless it is there; resolves when more may be given. The content must not be changed until {@link flush}. */
  async put(content: Uint8Array): Promise<string> {
    const name = nameOfChunk(content);
    if (this.#known.has(name)) return name;
    this.#known.add(name);
    while (this.#pending.size >= AT_ONCE) await Promise.race(this.#pending);
    if (this.#failure !== null) throw this.#failure;
    const writing = this.#write(name, content)
      .catch((error: unknown) => void (this.#failure ??= error))
      .finally(() => this.#pending.delete(writing));
    this.#pending.add(writing);
    return name;
  }

  /** Resolves when all that was put is on the disk, under its name. */
  async flush(): Promise<void> {
    await Promise.all(this.#pending);
    if (this.#failure !== null) throw this.#failure;
    try {
      for (const directory of this.#touched) syncPath(directory);
      if (this.#touched.size > 0) syncPath(path.join(this.#repository, 'chunks'));
    } catch (error) {
      throw repositoryFailure(this.#repository, 'write to', error);
    }
    this.#touched.clear();
  }

  /** @throws DamagedChunk; HoldfastError where the disk fails */
  async get(name: string): Promise<Buffer> {
    let file: Buffer;
    try {
      file = await withDescriptors(() => readWhole(this.pathOf(name), name));
    } catch (error) {
      if (systemCode(error) === 'ENOENT') throw new DamagedChunk(name, 'is missing');
      throw systemCode(error) === 'EIO' ? new DamagedChunk(name, 'cannot be read from the disk') : repositoryFailure(this.#repository, 'read', error);
    }
    return await decodeChunk(name, file);
  }

  async #write(name: string, content: Uint8Array): Promise<void> {
    const parts = await encodeChunk(content);
    const target = this.pathOf(name);
    const draft = path.join(this.#repository, 'new', randomUuid());
    try {
      await withDescriptors(() => writeSynced(draft, parts));
      fs.mkdirSync(path.dirname(target), { recursive: true, mode: 0o700 });
      fs.renameSync(draft, target);
    } catch (error) {
      fs.rmSync(draft, { force: true });
      throw repositoryFailure(this.#repository, 'write to', error);
    }
    this.#touched.add(path.dirname(target));
    this.stored.chunks += 1;
    this.stored.bytes += parts.reduce((sum, part) => sum + part.length, 0);
  }
}

/** No link is followed to what is no file, and nothing is read that is too long for a chunk. */
async function readWhole(file: string, name: string): Promise<Buffer> {
  const stats = fs.lstatSync(file);
  if (!stats.isFile() || stats.size > MOST_CHUNK_BYTES + MARGIN) throw new DamagedChunk(name, 'is not a file as chunks are');
  return await fs.promises.readFile(file);
}

async function writeSynced(file: string, parts: readonly Uint8Array[]): Promise<void> {
  const handle = await fs.promises.open(file, 'wx', 0o600);
  try {
    for (const part of parts) await handle.writeFile(part);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The names in a directory; none where there is none. */
function listed(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw repositoryFailure(directory, 'read', error);
  }
}
