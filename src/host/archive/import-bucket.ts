import type { FileSystemDirectoryHandle } from '../../file-system/directory-handle.ts';
import type { StorageClient } from '../storage-client.ts';
import { archiveError } from './archive-error.ts';
import { CacheImport } from './import-caches.ts';
import { DatabaseImport } from './import-databases.ts';
import { FileImport } from './import-files.ts';
import { wholeText } from './read-entry.ts';
import type { Scratch } from './scratch.ts';
import type { TarEntry } from './tar-reader.ts';

/** A bucket, by the interfaces that its programs have. */
export interface ImportArea {
  /** Null: it is a named one, which has none. */
  readonly localStorage: Pick<StorageClient['localStorage'], 'setItem'> | null;
  /** The code behind these is loaded when they are called. */
  caches(): StorageClient['caches'];
  indexedDB(): StorageClient['indexedDB'];
  getDirectory(): Promise<FileSystemDirectoryHandle>;
  /** Called when all was taken. */
  complete?(): void | Promise<void>;
  /** Called when nothing more comes, whether or not all was taken. */
  end?(): Promise<void>;
}

/** What a bucket is imported into. */
export interface ImportTarget {
  readonly area: ImportArea;
  /** Whose it was when it was exported. */
  readonly source: string;
  /** Where files can be put that are needed for a while. */
  readonly scratch: Scratch;
}

/** Imports the entries of one bucket, in the order in which an export writes them. */
export class BucketImport {
  readonly #area: ImportArea;
  readonly #files: FileImport;
  readonly #caches: CacheImport;
  readonly #databases: DatabaseImport;

  constructor(target: ImportTarget) {
    this.#area = target.area;
    this.#files = new FileImport(target.area);
    this.#caches = new CacheImport(target);
    this.#databases = new DatabaseImport(target);
  }

  /** `path`: below the bucket. @throws HoldfastError archive-damaged, and what the interfaces throw */
  async take(path: string, entry: TarEntry): Promise<void> {
    const [kind = ''] = path.split('/');
    if (kind === 'files') await this.#files.take(path, entry);
    else if (kind === 'caches') await this.#caches.take(path, entry);
    else if (kind === 'indexeddb') await this.#databases.take(path, entry);
    else if (/^local-storage\/[0-9]+\.jsonl$/.test(path)) await this.#takeItems(entry);
    else throw archiveError(`it has an entry '${entry.path}', which no export has`);
  }

  async #takeItems(entry: TarEntry): Promise<void> {
    const { localStorage } = this.#area;
    if (localStorage === null) throw archiveError(`its entry '${entry.path}' is of a bucket that has no localStorage`);
    for (const line of (await wholeText(entry)).split('\n')) {
      if (line === '') continue;
      const [key, value] = itemIn(line);
      localStorage.setItem(key, value);
    }
  }

  /** Takes back a file that is not as it was to be. */
  async remove(path: string): Promise<void> {
    await this.#files.remove(path);
  }

  /** All of it was taken. */
  async complete(): Promise<void> {
    await this.#databases.end();
    await this.#area.complete?.();
  }

  async end(): Promise<void> {
    try {
      await this.#databases.end();
    } finally {
      await this.#area.end?.();
    }
  }
}

function itemIn(line: string): [string, string] {
  let item: unknown;
  try {
    item = JSON.parse(line);
  } catch (cause) {
    throw archiveError('an item of localStorage in it makes no sense', { cause });
  }
  const [key, value, ...more] = Array.isArray(item) ? (item as unknown[]) : [];
  if (typeof key === 'string' && typeof value === 'string' && more.length === 0) return [key, value];
  throw archiveError('an item of localStorage in it makes no sense');
}
