import fs from 'node:fs';
import { fileFromDisk } from '../../runtime/disk-file.ts';
import { nextTurn } from '../../runtime/timers.ts';
import { isWithin, sameLocator } from '../locator.ts';
import type { EntryKind, Locator } from '../locator.ts';
import type { BucketPlace } from '../place.ts';
import { charged } from '../quota/charged.ts';
import { Extent } from '../quota/extent.ts';
import { ENTRY_BYTES, freeOfCharge, weightOf } from '../quota/ledger.ts';
import type { Ledger } from '../quota/ledger.ts';
import { isCode } from './base.ts';
import { Contents } from './contents.ts';
import type { ReadFile } from './contents.ts';
import { childrenOf, entriesIn } from './entries.ts';
import { requireContent, requireDirectory, requireFile } from './found.ts';
import type { Found } from './found.ts';
import { kindOf } from './locate.ts';
import type { Located } from './locate.ts';
import { DIRECTORY, fileLook } from './look.ts';
import type { FileStat, Look } from './look.ts';
import { mediaTypeOf } from './media-types.ts';
import { closeQuietly, CREATE, openNew, openPlain, openStub, READ } from './open-plain.ts';
import { Placement } from './placement.ts';
import { mayBeStub, readManifest } from './stub.ts';
import type { Sealing, Use } from './sealing.ts';
import { SwapFolder } from './swap.ts';
import type { Swap } from './swap.ts';
import { Trash } from './trash.ts';
import { TreeError } from './tree-error.ts';

export interface FileTreeOptions {
  /** The epoch of the `files.<epoch>` directory now. Asked again whenever something is missing, so it must be fresh. */
  epoch(): number;
  /** The swap folder's name: unique to this realm, and a path component. */
  readonly session: string;
  /** Whether the root's volume takes names for one that differ in case or normalization (`volumeFoldsNames`). */
  foldsNames?(): boolean;
  /** `strict`: every change is on the disk, not only in the kernel, when its call returns. Default `relaxed`. */
  readonly durability?: 'relaxed' | 'strict';
  /** Pays for what the tree takes of the disk. By default nobody counts. */
  readonly ledger?: Ledger;
  /** How contents and names are encrypted; by default as the place says. */
  readonly sealing?: Sealing;
}

/** A file that is open for writing. */
export interface OpenFile extends ReadFile {
  /** To be covered before the file is written. */
  readonly extent: Extent;
}

/**
 * The entries of a bucket's file system, as real files and directories below `files.<epoch>/`. Invariants:
 * - no path is used before every component of it was seen to be a plain file or directory of ours, so nothing that lies
 *   in the tree (links, pipes, sockets) leads out of the bucket, blocks a thread or is written to;
 * - a name appears, changes and goes by one system call (open, mkdir, rename, unlink): whoever is killed leaves the
 *   state before or after, and at worst a swap file, trash or the spelling of a long name, which nobody sees;
 * - a file's content is only ever replaced whole (`replace`), or written through `open` by a holder of its lock;
 * - the bytes of a stub, whose content is not on this disk, are never given or copied as if they were the content: what
 *   would do that throws 'elsewhere'. A stub is moved, replaced, removed and listed like any file;
 * - whatever takes space is charged before it is there, and freed when it has gone;
 * - no state is kept in memory: any number of processes may work on one tree. Who may do what when is the lock table's.
 *
 * A missing bucket reads as an empty one; the first creation makes it. Every method throws {@link TreeError}, or what
 * `place.ensure()` and the ledger throw. https://fs.spec.whatwg.org/#concept-directory-entry
 */
export class FileTree {
  readonly #path: string;
  readonly #placement: Placement;
  readonly #options: FileTreeOptions;
  readonly #swaps: SwapFolder;
  readonly #contents: Contents;
  readonly #trash: Trash;
  readonly #ledger: Ledger;

  constructor(place: BucketPlace, options: FileTreeOptions) {
    this.#path = place.path;
    this.#options = options;
    const { ledger = freeOfCharge, sealing = place.encryption?.sealing } = options;
    this.#ledger = ledger;
    this.#placement = new Placement(place, { epoch: () => options.epoch(), foldsNames: () => options.foldsNames?.() ?? false, isStrict: this.#isStrict, ledger, sealing });
    this.#swaps = new SwapFolder(`${place.path}/swap`, options.session, ledger, sealing);
    this.#contents = new Contents(sealing, this.#swaps, place.encryption);
    this.#trash = new Trash(`${place.path}/trash`, options.session, this.#ledger);
  }

  /**
   * What is at a locator; null when nothing is, or when a file is where a directory on the way should be. The root is
   * always a directory.
   *
   * @throws TreeError 'not-plain' for a link, device, socket or pipe on the way or there.
   */
  kindOf(locator: Locator): EntryKind | null {
    if (locator.length === 0) return 'directory';
    try {
      const stats = this.#placement.look(locator);
      return stats === undefined ? null : kindOf(stats);
    } catch (error) {
      if (isCode(error, 'not-found') || isCode(error, 'type-mismatch')) return null;
      throw error;
    }
  }

  /** Creates an empty file. Returns false when it exists already. The parent must exist. */
  createFile(locator: Locator): boolean {
    return this.#create(locator, 'file', (path) => closeQuietly(openNew(path, CREATE)));
  }

  /** Creates an empty directory. Returns false when it exists already. The parent must exist. */
  createDirectory(locator: Locator): boolean {
    if (locator.length === 0) return false;
    return this.#create(locator, 'directory', makeDirectory);
  }

  /** Opens the file itself for reading, encrypted or not. The caller closes the descriptor with `fs.closeSync`. */
  open(locator: Locator): number {
    return this.#read(locator, (found) => openPlain(requireFile(found, locator), READ));
  }

  /** Opens a file for reading; by default while nobody writes to it in place. */
  openForReading(locator: Locator, use: Use = 'beside-readers'): ReadFile {
    return this.#read(locator, (found) => this.#contents.open(requireFile(found, locator), READ, use));
  }

  /**
   * Opens a file for reading and writing. A file that has hard links elsewhere is first given an inode of its own, so that
   * nothing outside the bucket changes.
   *
   * @param isShared - others may write to it at the same time
   * @throws TreeError 'not-in-place' for an encrypted file that has to be made ready before, with {@link prepareInPlace}
   */
  openForWriting(locator: Locator, isShared: boolean): OpenFile {
    return this.#placement.on(locator, 'write', (found) => {
      const path = requireFile(found, locator);
      if (found.stats.nlink > 1) this.#replaceInode(path, found.stats);
      const file = this.#contents.openInPlace(path, isShared ? 'shared' : 'alone', locator);
      const { descriptor } = file;
      const look = isShared ? (): number => fs.fstatSync(descriptor).size : undefined;
      return { ...file, extent: new Extent(this.#ledger, found.stats.size, look) };
    });
  }

  /**
   * Makes an encrypted file ready for being written to in place, which it is not when it was written as a whole. To be
   * called while nobody else has it open for writing.
   */
  async prepareInPlace(locator: Locator): Promise<void> {
    await this.#rewrite(locator, (found) => this.#contents.inPlace(requireContent(found, locator)));
  }

  /**
   * Writes a file, or a stub, anew with the key that is active, where it has another; its time stays. To be called
   * while nobody else has it open for writing.
   */
  async renew(locator: Locator): Promise<void> {
    await this.#rewrite(locator, (found) => this.#contents.currentOf(requireFile(found, locator), found.stats), true);
  }

  /** Whether an entry has a name on the disk from before. */
  isToRespell(locator: Locator): boolean {
    return this.#placement.isToRespell(locator);
  }

  /**
   * Gives an entry the name on the disk that is its own now, where it has one from before. To be called under the lock
   * of a move.
   */
  respell(locator: Locator): void {
    this.#placement.respell(locator);
  }

  /** Puts a copy in a file's place, where one is needed; `keepsTime`: it is as old as the file was. */
  async #rewrite(locator: Locator, copy: (found: Found) => Promise<Swap | null>, keepsTime = false): Promise<void> {
    await this.#placement.onLater(locator, 'write', async (found, base) => {
      const swap = await copy(found);
      if (swap === null) return;
      try {
        await this.#place(swap, this.#placement.locate(base, locator), locator, keepsTime ? found.stats : undefined);
      } catch (error) {
        swap.discard();
        throw error;
      }
    });
  }

  stat(locator: Locator): FileStat {
    return this.#read(locator, (found) => {
      const path = requireContent(found, locator);
      return { size: this.#contents.sizeOf(path, found.stats), lastModified: Math.floor(found.stats.mtimeMs) };
    });
  }

  /** What is at a locator, a stub or not; null when nothing is. @throws TreeError 'not-plain' as {@link kindOf} */
  look(locator: Locator): Look | null {
    try {
      return this.#read(locator, ({ path, stats }) => (stats.isDirectory() ? DIRECTORY : { ...fileLook(stats), size: this.#contents.sizeAt(path, stats) }));
    } catch (error) {
      if (isCode(error, 'not-found') || isCode(error, 'type-mismatch')) return null;
      throw error;
    }
  }

  /** What a stub says of where its content is; null for every other file. */
  manifest(locator: Locator): Uint8Array | null {
    return this.#read(locator, (found) => {
      const path = requireFile(found, locator);
      const descriptor = mayBeStub(found.stats) ? openStub(path) : null;
      if (descriptor === null) return null;
      try {
        return readManifest(descriptor);
      } finally {
        fs.closeSync(descriptor);
      }
    });
  }

  /**
   * A snapshot of a file's state, for `getFile()`: reading it fails with NotReadableError once the file has changed.
   * https://fs.spec.whatwg.org/#api-filesystemfilehandle-getfile
   */
  async file(locator: Locator): Promise<File> {
    const name = locator.at(-1) ?? '';
    return this.#placement.onLater(locator, 'read', async (found) => {
      const path = requireContent(found, locator);
      const { state = found.stats, ...sealed } = this.#contents.source(path);
      return fileFromDisk({ path, name, type: mediaTypeOf(name), state, ...sealed });
    });
  }

  /**
   * The entries of a directory as a stream, in no promised order, in bounded memory, but for those of an origin that is
   * being encrypted. Entries that come or go meanwhile may be seen or not; all others are seen exactly once. What is not plain, or not of ours, is left out.
   */
  entries(locator: Locator): IterableIterator<[name: string, kind: EntryKind]> {
    try {
      return this.#read(locator, (found) => entriesIn(requireDirectory(found, locator), locator, this.#placement.script));
    } catch (error) {
      if (locator.length === 0 && isCode(error, 'not-found')) return [].values();
      throw error;
    }
  }

  isEmpty(locator: Locator): boolean {
    const entries = this.entries(locator);
    const first = entries.next();
    entries.return?.();
    return first.done === true;
  }

  /**
   * Removes an entry, a directory with all that is below it. It is gone from the tree when this returns; a large one
   * gives its space back in the background, even after a kill (`sweep`).
   */
  remove(locator: Locator): void {
    if (locator.length === 0) throw new TreeError('type-mismatch', locator);
    this.#placement.on(locator, 'write', (found) => {
      this.#trash.remove(found.path, found.stats);
      this.#placement.forgetSpelling(found);
      this.#placement.settle(found.parent);
    });
  }

  /** Removes everything below the root, in several turns of the event loop. */
  async empty(): Promise<void> {
    try {
      await this.#placement.onLater([], 'write', ({ path }) => this.#emptyDirectory(path));
    } catch (error) {
      // A missing bucket is an empty one.
      if (!isCode(error, 'not-found')) throw error;
    }
  }

  async #emptyDirectory(directory: string): Promise<void> {
    let removed = 0;
    for (const { name } of childrenOf(directory)) {
      const stats = fs.lstatSync(`${directory}/${name}`, { throwIfNoEntry: false });
      if (stats !== undefined) this.#trash.remove(`${directory}/${name}`, stats);
      if ((removed += 1) % SLICE === 0) await nextTurn();
    }
    this.#placement.settle(directory);
  }

  /**
   * Moves an entry, a directory with all that is below it. A file replaces a file, atomically.
   *
   * @throws TreeError 'exists' when one of the two is a directory and the target is there; 'into-itself' when the
   * target is below the source.
   */
  async move(source: Locator, target: Locator): Promise<void> {
    if (sameLocator(source, target)) return;
    if (isWithin(target, source)) throw new TreeError('into-itself', target);
    await this.#placement.onLater(source, 'write', async (from, base) => {
      const to = this.#placement.locate(base, target);
      if (to.stats !== undefined && !(from.stats.isFile() && to.stats.isFile())) throw new TreeError('exists', target);
      this.#placement.keepSpelling(to);
      await this.#placement.rename(from.path, to);
      for (const parent of new Set([to.parent, from.parent])) this.#placement.settle(parent);
      // Not before the disk has the new name: under the old one nobody would find it.
      this.#placement.forgetSpelling(from);
    });
  }

  /** A new file that nobody sees, empty or a copy of `source`; it takes a name with {@link replace}. */
  async swap(source?: Locator): Promise<Swap> {
    if (source === undefined) return this.#placement.beside(() => this.#swaps.create());
    return this.#placement.onLater(source, 'write', async (found) => {
      const path = requireContent(found, source);
      return (await this.#contents.current(path)) ?? this.#swaps.copy(path);
    });
  }

  /**
   * Gives a swap file the name of `target`, in place of the file there if any, atomically: whoever is killed or reads
   * meanwhile, the target has its old content or the new one. Closes the swap's descriptor. When strict, the content is
   * on the disk before the name, and the name before this returns.
   */
  async replace(swap: Swap, target: Locator): Promise<void> {
    await this.#placement.atLater(target, (to) => this.#place(swap, to, target));
  }

  async #place(swap: Swap, to: Located, target: Locator, times?: fs.Stats): Promise<void> {
    if (to.stats?.isDirectory() === true) throw new TreeError('type-mismatch', target);
    swap.finish();
    if (times !== undefined) fs.utimesSync(swap.path, times.atimeMs / 1000, times.mtimeMs / 1000);
    // What was safe on the disk is not put at risk.
    if (this.#isStrict || times !== undefined) await swap.sync();
    swap.close();
    this.#placement.keepSpelling(to);
    await this.#placement.rename(swap.path, to);
    swap.placed();
    this.#placement.settle(to.parent);
  }

  /**
   * Gives a file a new inode with the same content: descriptors that others have open no longer reach it. The copy
   * blocks the thread, unless the volume shares blocks.
   */
  detach(locator: Locator): void {
    this.#placement.on(locator, 'write', (found) => {
      this.#replaceInode(requireContent(found, locator), found.stats);
      this.#placement.settle(found.parent);
    });
  }

  /**
   * Deletes, in the background, what killed sessions have left: trash, and the swap files of the sessions that `isDead`
   * says are.
   */
  sweep(isDead: (session: string) => boolean): void {
    for (const session of this.#swaps.sessions()) {
      if (session !== this.#options.session && isDead(session)) this.#trash.discardFolder(`${this.#path}/swap/${session}`);
    }
    this.#trash.sweep();
  }

  get #isStrict(): boolean {
    return this.#options.durability === 'strict';
  }

  #create(locator: Locator, kind: EntryKind, make: (path: string) => void): boolean {
    return this.#placement.at(locator, (place) => {
      if (place.stats !== undefined && kindOf(place.stats) !== kind) throw new TreeError('type-mismatch', locator);
      this.#placement.keepSpelling(place);
      if (place.stats !== undefined) return false;
      charged(this.#ledger, ENTRY_BYTES, () => make(place.path));
      this.#placement.settle(place.parent);
      return true;
    });
  }

  #replaceInode(path: string, stats: fs.Stats): void {
    const copy = this.#swaps.copySync(path);
    const mark = this.#ledger.mark();
    try {
      fs.renameSync(copy.path, path);
    } catch (error) {
      copy.discard();
      throw error;
    }
    copy.placed();
    this.#ledger.free(weightOf(stats), mark);
  }

  #read<T>(locator: Locator, body: (found: Found) => T): T {
    return this.#placement.on(locator, 'read', body);
  }
}

/** Entries removed in one turn of the event loop. */
const SLICE = 128;

/** Makes a directory, or fails and leaves nothing. */
function makeDirectory(path: string): void {
  fs.mkdirSync(path, { mode: 0o700 });
  try {
    fs.chmodSync(path, 0o700); // whatever the umask
  } catch (error) {
    fs.rmdirSync(path);
    throw error;
  }
}
