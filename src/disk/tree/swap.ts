import fs from 'node:fs';
import { setMode } from '../../runtime/more-descriptor-calls.ts';
import { withDescriptor, withDescriptors } from '../../runtime/descriptors.ts';
import { wallClock } from '../../runtime/timers.ts';
import { charged } from '../quota/charged.ts';
import { Extent } from '../quota/extent.ts';
import { ENTRY_BYTES } from '../quota/ledger.ts';
import type { Ledger } from '../quota/ledger.ts';
import { isLink } from '../directories.ts';
import { isSwapFolder } from '../spelling.ts';
import { PlainContent } from './content.ts';
import type { Content } from './content.ts';
import { closeQuietly, CREATE, openNew, openPlain, READ, READ_WRITE, systemError } from './open-plain.ts';
import type { Form, Sealing } from './sealing.ts';
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
  /** What was paid for its content; to be covered before it is written. */
  readonly extent: Extent;
  readonly #ledger: Ledger;
  readonly #openContent: (() => Content) | undefined;
  #content: Content | undefined;
  /** Whether all of it is in the file, as it is to be. */
  isFinished = false;
  #isOpen = true;
  /** Whether its path is still its own, and nobody else's to delete. */
  #isOurs = true;

  /** `size`: bytes that are in it, or will be soon, and were paid for. `openContent`: where its content is encrypted. */
  constructor(path: string, descriptor: number, ledger: Ledger, size = 0, openContent?: () => Content) {
    this.path = path;
    this.descriptor = descriptor;
    this.extent = new Extent(ledger, size);
    this.#ledger = ledger;
    this.#openContent = openContent;
  }

  /** To be written through. */
  get content(): Content {
    return (this.#content ??= this.#openContent?.() ?? new PlainContent(this.descriptor));
  }

  /** To be called when all of the content was written. */
  finish(): void {
    if (this.#openContent === undefined || this.isFinished) return;
    this.extent.cover(this.content.stored(this.content.size()));
    this.content.finish();
    this.isFinished = true;
  }

  async sync(): Promise<void> {
    if (this.#isOpen) await syncFile(this.descriptor, this.path);
  }

  /** Closes the descriptor; harmless when called twice. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    fs.closeSync(this.descriptor);
  }

  /** It has got another name; what it takes is the business of whoever removes that. */
  placed(): void {
    this.#isOurs = false;
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
    if (!this.#isOurs) return;
    this.#isOurs = false;
    removeQuietly(this.path, ENTRY_BYTES + this.extent.size, this.#ledger);
  }
}

function removeQuietly(path: string, bytes: number, ledger: Ledger): void {
  const mark = ledger.mark();
  try {
    fs.unlinkSync(path);
    ledger.free(bytes, mark);
  } catch {
    // It goes with its session's folder.
  }
}

let created = 0;

/** One session's directory of swap files; made when it is first needed. It costs nothing, what is in it does. */
export class SwapFolder {
  readonly #root: string;
  readonly #path: string;
  readonly #ledger: Ledger;
  readonly #sealing: Pick<Sealing, 'draft'> | undefined;

  constructor(root: string, session: string, ledger: Ledger, sealing?: Pick<Sealing, 'draft'>) {
    this.#root = root;
    this.#path = `${root}/${session}`;
    this.#ledger = ledger;
    this.#sealing = sealing;
  }

  create(form: Form = 'whole'): Swap {
    return charged(this.#ledger, ENTRY_BYTES, () => this.#create(0, form));
  }

  /** A swap file that starts as a copy: of shared blocks where the volume can, else of bytes, in another thread. */
  async copy(source: string): Promise<Swap> {
    const { size } = fs.lstatSync(source);
    return size > SMALL_BYTES ? this.#copyLarge(source, size) : this.#copySmall(source, size);
  }

  #copySmall(source: string, size: number): Swap {
    return charged(this.#ledger, ENTRY_BYTES + size, () => {
      const swap = this.#create(size);
      try {
        copySmall(source, size, swap.descriptor);
        return swap;
      } catch (error) {
        closeQuietly(swap.descriptor);
        fs.rmSync(swap.path, { force: true });
        throw error;
      }
    });
  }

  async #copyLarge(source: string, size: number): Promise<Swap> {
    this.#ensure();
    const path = this.#newPath();
    const bytes = ENTRY_BYTES + size;
    this.#ledger.charge(bytes);
    try {
      await withDescriptors(() => fs.promises.copyFile(source, path, COPYFILE_FICLONE | COPYFILE_EXCL));
      return this.#openCopy(path);
    } catch (error) {
      this.#withdraw(path, bytes);
      throw error;
    }
  }

  /** Copies in this thread; returns the copy, closed. */
  copySync(source: string): Swap {
    this.#ensure();
    const path = this.#newPath();
    const bytes = ENTRY_BYTES + fs.lstatSync(source).size;
    this.#ledger.charge(bytes);
    try {
      withDescriptor(() => fs.copyFileSync(source, path, COPYFILE_FICLONE | COPYFILE_EXCL));
      const copy = this.#openCopy(path);
      copy.close();
      return copy;
    } catch (error) {
      this.#withdraw(path, bytes);
      throw error;
    }
  }

  /**
   * Gives a file that nobody writes to any more one more name here, by which it lasts: closed, and paid for once more.
   *
   * @throws the operating system's error
   */
  link(source: string): Swap {
    this.#ensure();
    return charged(this.#ledger, ENTRY_BYTES + fs.lstatSync(source).size, () => {
      const path = this.#newPath();
      fs.linkSync(source, path);
      const link = openLink(path, this.#ledger);
      link.close();
      return link;
    });
  }

  /** Names of all sessions that have a folder; what is spelled otherwise belongs to none. */
  sessions(): string[] {
    try {
      return isLink(this.#root) ? [] : fs.readdirSync(this.#root).filter(isSwapFolder);
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw error;
    }
  }

  #create(size: number, form: Form = 'whole'): Swap {
    const path = this.#newPath();
    try {
      return this.#opened(path, openNew(path, CREATE), size, form);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT') throw error;
      this.#ensure();
      return this.#opened(path, openNew(path, CREATE), size, form);
    }
  }

  /** The copy has taken over the mode of its source, whatever that was. */
  #openCopy(path: string): Swap {
    const descriptor = openPlain(path, READ_WRITE);
    try {
      setMode(descriptor, path, 0o600);
      return this.#opened(path, descriptor, fs.fstatSync(descriptor).size, 'whole');
    } catch (error) {
      closeQuietly(descriptor);
      throw error;
    }
  }

  #opened(path: string, descriptor: number, size: number, form: Form): Swap {
    const sealing = this.#sealing;
    return new Swap(path, descriptor, this.#ledger, size, sealing && (() => sealing.draft(descriptor, path, form)));
  }

  /** What of a copy that failed is there goes, unless the disk does not let it: then a sweep takes it. */
  #withdraw(path: string, bytes: number): void {
    try {
      fs.rmSync(path, { force: true });
      this.#ledger.refund(bytes);
    } catch {
      // It is paid for, and freed when it goes.
    }
  }

  #newPath(): string {
    return `${this.#path}/${(created += 1)}-${wallClock().toString(36)}`;
  }

  /** Not recursive: a bucket that is missing is not made here. Nothing is put where a link leads. */
  #ensure(): void {
    if (isLink(this.#root)) throw systemError('ELOOP', this.#root);
    for (const directory of [this.#root, this.#path]) {
      try {
        fs.mkdirSync(directory, { mode: 0o700 });
      } catch (error) {
        if (systemCode(error) !== 'EEXIST') throw error;
      }
    }
  }
}

/** A link to anything but a plain file goes again. */
function openLink(path: string, ledger: Ledger): Swap {
  try {
    const descriptor = openPlain(path, READ);
    return new Swap(path, descriptor, ledger, fs.fstatSync(descriptor).size);
  } catch (error) {
    fs.rmSync(path, { force: true });
    throw error;
  }
}

/** Copies a file that was seen to be small; it may have grown since, and is copied as it was. */
function copySmall(source: string, size: number, target: number): void {
  const descriptor = openPlain(source, READ);
  try {
    if (size > 0) writeWhole(target, fs.readFileSync(descriptor).subarray(0, size));
  } finally {
    fs.closeSync(descriptor);
  }
}
