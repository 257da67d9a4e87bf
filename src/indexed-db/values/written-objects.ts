import { platformKinds } from '../../disk/values/platform-kinds.ts';
import type { PlatformData, PlatformObjects } from '../../disk/values/platform-objects.ts';
import { UncloneableError } from '../../disk/values/value-error.ts';
import { has } from '../../runtime/brands.ts';
import { isBlob, isReadableBlob } from '../../runtime/byte-brands.ts';
import type { BlobData } from './blob-data.ts';

/**
 * The platform objects of one value that is written. Its clone, which is read from what was written, has the very same
 * objects; so keys are found in them, and the clone can be written again.
 */
export class WrittenObjects implements PlatformObjects {
  readonly #platform: PlatformObjects;
  /** In the order in which they stand in the value. Most values have none. */
  #written: Map<object, PlatformData> | null = null;
  #unread: object[] = [];
  /** Blobs and Files; the value has their places in this list. */
  readonly blobs: Blob[] = [];

  constructor(platform: PlatformObjects) {
    this.#platform = platform;
  }

  serialize(value: object): PlatformData | null {
    const known = this.#written?.get(value);
    if (known !== undefined) return known;
    const written = isBlob(value) ? this.#writeBlob(value) : this.#platform.serialize(value);
    if (written !== null) (this.#written ??= new Map()).set(value, written);
    return written;
  }

  /** @throws UncloneableError for one whose bytes nobody here can read */
  #writeBlob(blob: Blob): PlatformData {
    if (!isReadableBlob(blob)) throw new UncloneableError('A Blob without arrayBuffer()');
    const place = this.blobs.push(blob) - 1;
    const data: BlobData = { place, size: blob.size, type: blob.type };
    if (!isFile(blob)) return { kind: platformKinds.blob, data };
    const { name, lastModified } = blob;
    return { kind: platformKinds.file, data: { ...data, name, lastModified } };
  }

  /** To be called before the value is read. */
  rewind(): void {
    this.#unread = [...(this.#written?.keys() ?? [])].reverse();
  }

  deserialize(): object {
    const next = this.#unread.pop();
    if (next === undefined) throw new Error('a clone has more platform objects than its original');
    return next;
  }
}

function isFile(blob: Blob): blob is Blob & { readonly name: string; readonly lastModified: number } {
  return has(blob, 'string', 'name') && has(blob, 'number', 'lastModified');
}
