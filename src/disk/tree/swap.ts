import fs from 'node:fs';
import { withDescriptor, withDescriptors } from '../../runtime/descriptors.ts';
import { isSwapFolder } from '../spelling.ts';
import { CREATE, openNew, openPlain, READ, READ_WRITE } from './open-plain.ts';
import { syncFile } from './sync.ts';
import { systemCode } from './tree-error.ts';
import { writeWhole } from './write-whole.ts';

/** Up to here a copy in this thread costs less than handing it to another. */
const SMALL_BYTES = 64 * 1024;

const { COPYFILE_EXCL, COPYFILE_FICLONE } = fs.constants;

/**
 * A new file that nobody sees yet: the data of an open writable. It takes its place with `FileTree.replace`, or is
 * thrown away; a session that dies leaves it to a sweep.
 */
export class Swap {
  readonly path: string;
  /** Open for reading and writing, until the swap is replaced, closed or discarded. */
  readonly descriptor: number;
  #isOpen = true;

  constructor(path: string, descriptor: number) {
    this.path = path;
    this.descriptor = descriptor;
  }

  async sync(): Promise<void> {
    if (this.#isOpen) await syncFile(this.descriptor);
  }

  /** Closes the descriptor; harmless when called twice. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    fs.closeSync(this.descriptor);
  }

  /**
   * Closes and deletes the file; harmless when called twice, or after the file took its place. Never throws: nobody
   * misses what is thrown away.
   */
  discard(): void {
    try {
      this.close();
    } catch {
      // It is closed whatever close() says.
    }
    removeQuietly(this.path);
  }
}

function removeQuietly(path: string): void {
  try {
    fs.rmSync(path, { force: true });
  } catch {
    // It goes with its session's folder.
  }
}

let created = 0;

/** One session's directory of swap files; made when it is first needed. */
export class SwapFolder {
  readonly #root: string;
  readonly #path: string;

  constructor(root: string, session: string) {
    this.#root = root;
    this.#path = `${root}/${session}`;
  }

  create(): Swap {
    const path = this.#newPath();
    try {
      return new Swap(path, openNew(path, CREATE));
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      this.#ensure();
      return new Swap(path, openNew(path, CREATE));
    }
  }

  /** A swap file that starts as a copy: of shared blocks where the volume can, else of bytes, in another thread. */
  async copy(source: string): Promise<Swap> {
    const empty = this.create();
    let isCopied = false;
    try {
      isCopied = copySmall(source, empty.descriptor);
    } finally {
      if (!isCopied) empty.discard();
    }
    return isCopied ? empty : this.#copyLarge(source);
  }

  async #copyLarge(source: string): Promise<Swap> {
    const path = this.#newPath();
    try {
      await withDescriptors(() => fs.promises.copyFile(source, path, COPYFILE_FICLONE | COPYFILE_EXCL));
      return openCopy(path);
    } catch (error) {
      removeQuietly(path);
      throw error;
    }
  }

  /** Copies in this thread; returns the path of the copy. */
  copySync(source: string): string {
    this.#ensure();
    const path = this.#newPath();
    withDescriptor(() => fs.copyFileSync(source, path, COPYFILE_FICLONE | COPYFILE_EXCL));
    openCopy(path).close();
    return path;
  }

  /** Names of all sessions that have a folder; what is spelled otherwise belongs to none. */
  sessions(): string[] {
    try {
      return fs.readdirSync(this.#root).filter(isSwapFolder);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  #newPath(): string {
    return `${this.#path}/${(created += 1)}-${Date.now().toString(36)}`;
  }

  /** Not recursive: a bucket that is missing is not made here. */
  #ensure(): void {
    for (const directory of [this.#root, this.#path]) {
      try {
        fs.mkdirSync(directory, { mode: 0o700 });
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
    }
  }
}

/** The copy has taken over the mode of its source, whatever that was. */
function openCopy(path: string): Swap {
  const copy = new Swap(path, openPlain(path, READ_WRITE));
  try {
    fs.fchmodSync(copy.descriptor, 0o600);
    return copy;
  } catch (error) {
    copy.close();
    throw error;
  }
}

/** Copies a small file; false for a larger one, which is left alone. */
function copySmall(source: string, target: number): boolean {
  const descriptor = openPlain(source, READ);
  try {
    const { size } = fs.fstatSync(descriptor);
    if (size > SMALL_BYTES) return false;
    if (size > 0) writeWhole(target, fs.readFileSync(descriptor));
    return true;
  } finally {
    fs.closeSync(descriptor);
  }
}
