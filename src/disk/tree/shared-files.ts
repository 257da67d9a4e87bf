import type { SealedBytes } from '../../runtime/disk-range.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Ledger } from '../quota/ledger.ts';
import { isSwapFile } from '../spelling.ts';
import { sealedBytes } from './in-pieces.ts';
import { closeQuietly, openPlain, READ } from './open-plain.ts';
import type { Sealing } from './sealing.ts';
import { type Swap, SwapFolder } from './swap.ts';

/** A whole file that nobody writes to any more, under a name of this session's own: there until it is let go, or the session ends. */
export interface SharedFile {
  /** Under which it was written: what other sessions find it by as long as that is there. */
  readonly name: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Where it is encrypted. */
  readonly sealed?: SealedBytes;
  /** Deletes this name of it. Harmless when called twice; never throws. */
  release(): void;
}

/**
 * Files that sessions hand to each other, such as those of Blobs in messages: they are swap files, so those of a session
 * that has died go with its others, and each name is paid for by whoever has it. One that is encrypted is bound to the
 * name under which it was written, whoever has it under another one: no other can take its place.
 */
export class SharedFiles {
  readonly #root: string;
  readonly #folder: SwapFolder;
  readonly #sealing: Sealing | undefined;

  /** `session`: whose folder in `swap/` the files are in. */
  constructor(bucket: string, session: string, ledger: Ledger, sealing?: Sealing) {
    this.#root = `${bucket}/swap`;
    this.#sealing = sealing;
    this.#folder = new SwapFolder(this.#root, session, ledger, sealing && { draft: (descriptor, path, form) => this.#bound(sealing, this.#nameOf(path)).draft(descriptor, path, form) });
  }

  /** Writes a new one. @throws OverQuotaError, HoldfastError disk-full, the operating system's error, and what `content` throws */
  async write(content: AsyncIterable<Uint8Array>): Promise<SharedFile> {
    const swap = this.#folder.create();
    try {
      let size = 0;
      for await (const bytes of content) {
        swap.extent.cover(swap.content.stored(size + bytes.byteLength));
        await writeAll(swap, bytes, size);
        size += bytes.byteLength;
      }
      swap.finish();
      swap.close();
      return this.#shared(swap, this.#nameOf(swap.path), size);
    } catch (error) {
      swap.discard();
      throw error;
    }
  }

  /** Takes over what another session, or this one, has. @throws the operating system's error: it has gone; EDAMAGED where it is another file */
  take(name: string): SharedFile {
    if (!isSwapFile(name)) throw new HoldfastError('journal-damaged', 'A file that is shared has a name that is none.');
    const swap = this.#folder.link(`${this.#root}/${name}`);
    try {
      return this.#shared(swap, name, this.#sizeOf(swap, name));
    } catch (error) {
      swap.discard();
      throw error;
    }
  }

  #sizeOf({ path, extent }: Swap, origin: string): number {
    if (this.#sealing === undefined) return extent.size;
    const descriptor = openPlain(path, READ);
    try {
      return this.#bound(this.#sealing, origin).open(descriptor, path, 'beside-readers').size();
    } finally {
      closeQuietly(descriptor);
    }
  }

  /** `origin`: the name under which it was written. */
  #shared(swap: Swap, origin: string, size: number): SharedFile {
    const { path } = swap;
    const sealing = this.#sealing && this.#bound(this.#sealing, origin);
    const sealed = sealing && { sealed: sealedBytes(sealing, path, 'beside-readers', size) };
    return { name: origin, path, size, ...sealed, release: () => swap.discard() };
  }

  #bound(sealing: Sealing, name: string): Sealing {
    return sealing.bound(`swap/${name}`);
  }

  #nameOf(path: string): string {
    return path.slice(this.#root.length + 1);
  }
}

async function writeAll({ content, path }: Swap, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const written = await content.writeLater(bytes.subarray(done), position + done);
    if (written === 0) throw new HoldfastError('disk-full', `Could not write ${path}: the disk takes no more.`);
    done += written;
  }
}
