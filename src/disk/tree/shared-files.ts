import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Ledger } from '../quota/ledger.ts';
import { isSwapFile } from '../spelling.ts';
import { type Swap, SwapFolder } from './swap.ts';

/** A whole file that nobody writes to any more, under a name of this session's own: there until it is let go, or the session ends. */
export interface SharedFile {
  /** What other sessions find it by. */
  readonly name: string;
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** Deletes this name of it. Harmless when called twice; never throws. */
  release(): void;
}

/**
 * Files that sessions hand to each other, such as those of Blobs in messages: they are swap files, so those of a session
 * that has died go with its others, and each name is paid for by whoever has it.
 */
export class SharedFiles {
  readonly #root: string;
  readonly #folder: SwapFolder;

  /** `session`: whose folder in `swap/` the files are in. */
  constructor(bucket: string, session: string, ledger: Ledger) {
    this.#root = `${bucket}/swap`;
    this.#folder = new SwapFolder(this.#root, session, ledger);
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
      return this.#shared(swap, size);
    } catch (error) {
      swap.discard();
      throw error;
    }
  }

  /** Takes over what another session, or this one, has. @throws the operating system's error: it has gone */
  take(name: string): SharedFile {
    if (!isSwapFile(name)) throw new HoldfastError('journal-damaged', 'A file that is shared has a name that is none.');
    const swap = this.#folder.link(`${this.#root}/${name}`);
    return this.#shared(swap, swap.extent.size);
  }

  #shared(swap: Swap, size: number): SharedFile {
    return { name: swap.path.slice(this.#root.length + 1), path: swap.path, size, release: () => swap.discard() };
  }
}

async function writeAll({ content, path }: Swap, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const written = await content.writeLater(bytes.subarray(done), position + done);
    if (written === 0) throw new HoldfastError('disk-full', `Could not write ${path}: the disk takes no more.`);
    done += written;
  }
}
