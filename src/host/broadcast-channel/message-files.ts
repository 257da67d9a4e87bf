import type { Posted } from '../../broadcast-channel/channel-place.ts';
import type { BlobFile, BlobFiles } from '../../disk/records/record-database.ts';
import type { SharedFile, SharedFiles } from '../../disk/tree/shared-files.ts';
import { ValueDamagedError } from '../../disk/values/value-error.ts';
import type { PlatformObjects } from '../../disk/values/platform-objects.ts';
import { readWithBlobs } from '../../indexed-db/values/stored-blobs.ts';

/**
 * The value of a message with Blobs, which read from files of this realm's own, for as long as there are these Blobs.
 *
 * @throws ValueDamagedError; the operating system's error: the files have gone
 */
export async function readMessage({ value, files }: Posted, shared: SharedFiles, platform: PlatformObjects): Promise<unknown> {
  const taken = new TakenFiles();
  try {
    for (const name of files) taken.add(shared.take(name));
    return await readWithBlobs(value, taken.ids, taken, platform);
  } finally {
    taken.releaseUnheld();
  }
}

/** Those of one message, by their places. */
class TakenFiles implements BlobFiles {
  readonly #files: SharedFile[] = [];
  readonly #held = new Set<number>();

  add(file: SharedFile): void {
    this.#files.push(file);
  }

  get ids(): readonly number[] {
    return [...this.#files.keys()];
  }

  write(): Promise<BlobFile> {
    return Promise.reject(new Error('Files of a message were written by whoever has posted it'));
  }

  file(id: number): BlobFile {
    const { size, path, sealed } = this.#of(id);
    return { id, size, path, ...(sealed && { sealed }) };
  }

  whereabouts(id: number): string {
    return this.#of(id).path;
  }

  #of(id: number): SharedFile {
    const file = this.#files[id];
    if (file === undefined) throw new ValueDamagedError('a Blob has none of its files');
    return file;
  }

  hold(id: number): void {
    this.#held.add(id);
  }

  release(id: number): void {
    this.#held.delete(id);
    this.#files[id]?.release();
  }

  /** What no Blob reads from. */
  releaseUnheld(): void {
    for (const [id, file] of this.#files.entries()) if (!this.#held.has(id)) file.release();
  }
}
