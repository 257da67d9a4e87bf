import { isThenable } from '../runtime/brands.ts';
import { isShortage } from '../runtime/descriptors.ts';
import { errorMessage, isError } from '../runtime/errors.ts';
import { domException } from '../webidl/dom-exception.ts';
import type { Locator } from '../disk/locator.ts';
import type { FileLock, FileLockTable, Intent, LockClass, OperationResult } from '../disk/locks/lock-table.ts';
import type { BucketPlace } from '../disk/place.ts';
import type { FileTree } from '../disk/tree/file-tree.ts';
import type * as Algorithms from './algorithms/index.ts';
import { ChangeFeed } from './change-feed.ts';
import { OperationQueue } from './operation-queue.ts';
import { pace } from './pace.ts';

/** What the host gives a bucket's file system to work with. */
export interface FileSystemParts {
  /** Serialized, such as `https://app.example`. */
  readonly origin: string;
  readonly bucket: string;
  readonly place: BucketPlace;
  /** Loads what the interfaces' methods do, and what `tree` and `locks` need; they are not asked for before. */
  readonly load: () => Promise<typeof Algorithms>;
  readonly tree: FileTree;
  readonly locks: FileLockTable;
  /** The root's secret, which keeps unique ids from being guessed; asked for when the first one is made. */
  readonly salt: () => string;
  /**
   * Brings the content of a file whose stub is in the tree onto this disk, where files are synced. Locks that handles
   * hold on the file are no obstacle. What the file is when this resolves may be a stub again: a later one.
   *
   * @throws HoldfastError `hub-unreachable` and other `hub-` codes when the content cannot be had; TreeError
   */
  readonly fetch?: (file: Locator) => Promise<void>;
  readonly meter?: FileMeter;
}

/** Is told what is done to files: for counting, and for whoever watches the program. */
export interface FileMeter {
  /** `getFile()` gave one. */
  opened(): void;
  /** A sync access handle has read. */
  read(bytes: number): void;
  /** A writable has written what nobody sees yet. */
  staged(bytes: number): void;
  /** A sync access handle has written. */
  written(file: Locator, bytes: number): void;
  /** A file has the content of a writable. */
  replaced(file: Locator): void;
  /** A handle has asked for a lock on a file. */
  locked(file: Locator, mode: LockClass, granted: boolean): void;
}

/** Something that holds a descriptor or a lock until its user, or the end of the client, lets go of it. */
export interface OpenResource {
  /** Lets go at once; what the user tries with it afterwards is an InvalidStateError. */
  end(): void;
}

/** What an operation does once it holds its lock; `intent` is what the lock was taken for. */
type Body<T> = (intent: Intent) => OperationResult<T> | Promise<OperationResult<T>>;

/**
 * The file system of one client of one bucket: what all of its handles have in common. https://fs.spec.whatwg.org/
 *
 * Nothing is loaded or opened before the first handle is used.
 */
export class FileSystem {
  readonly origin: string;
  readonly bucket: string;
  readonly changes: ChangeFeed;
  readonly #parts: FileSystemParts;
  readonly #queue = new OperationQueue();
  readonly #open = new Set<OpenResource>();
  #isOpen = true;
  #algorithms: Promise<typeof Algorithms> | undefined;

  constructor(parts: FileSystemParts) {
    this.origin = parts.origin;
    this.bucket = parts.bucket;
    this.#parts = parts;
    this.changes = new ChangeFeed(() => parts.locks);
  }

  get tree(): FileTree {
    return this.#parts.tree;
  }

  get meter(): FileMeter | undefined {
    return this.#parts.meter;
  }

  /** How many handles and observations hold a descriptor, a lock or a watch. */
  get openCount(): number {
    return this.#open.size;
  }

  get salt(): string {
    return this.#parts.salt();
  }

  /**
   * Runs one of the interfaces' methods, once all that it needs is loaded. All callers wait for one promise, so that
   * they start in the order of their calls.
   */
  async perform<T>(method: (algorithms: typeof Algorithms) => Promise<T>): Promise<T> {
    const algorithms = await (this.#algorithms ??= this.#load());
    try {
      return await method(algorithms);
    } finally {
      const pause = pace();
      if (pause !== null) await pause;
    }
  }

  async #load(): Promise<typeof Algorithms> {
    try {
      return await this.#parts.load();
    } catch (error) {
      this.#algorithms = undefined; // such as too many open files: the next call tries again
      // In words of its own: those of errors.ts are part of what could not be loaded.
      throw domException(isShortage(isError(error) && error.cause) ? 'InvalidStateError' : 'UnknownError', errorMessage(error), error);
    }
  }

  /** The directory of the bucket. */
  get path(): string {
    return this.#parts.place.path;
  }

  /** Whether both are views of one bucket of one root, be it for different clients. */
  isSameBucket(other: FileSystem): boolean {
    return this === other || this.path === other.path;
  }

  /**
   * Changes something at `places`. In this realm, operations on one place run in the order of their calls; `intent` is
   * asked for when it is this one's turn, and `body` runs under the lock table's lock. Both start in the caller's turn
   * unless something has to be waited for.
   *
   * @throws LockedError when a handle's lock is in the way
   */
  operate<T>(places: readonly Locator[], intent: () => Intent, body: Body<T>, own?: FileLock): Promise<T> {
    return this.#queue.run(places, (done) => this.#locked(intent(), body, done, own));
  }

  /** The same for a move or removal: until it has ended, no handle can lock a file at or below `places`. */
  displace<T>(places: readonly Locator[], intent: () => Intent, body: Body<T>): Promise<T> {
    return this.#queue.claim(places, (done) => this.#locked(intent(), body, done));
  }

  #locked<T>(intent: Intent, body: Body<T>, done: () => void, own?: FileLock): Promise<T> {
    const run = (): ReturnType<Body<T>> => {
      const result = body(intent);
      if (!isThenable(result)) done();
      return result;
    };
    return this.#parts.locks.operate(intent, run, own);
  }

  /** Whether a move or removal of a place, or of what holds it, is under way in this realm. */
  isClaimed(place: Locator): boolean {
    return this.#queue.isClaimed(place);
  }

  /** Takes a handle's lock on a file when the operations under way there have ended; null when another is in the way. */
  async lock(file: Locator, lockClass: LockClass): Promise<FileLock | null> {
    const lock = await this.#parts.locks.lockFile(file, lockClass);
    this.meter?.locked(file, lockClass, lock !== null);
    return lock;
  }

  /** What this realm was asked to do to `place` before now, when something of it is still under way. */
  before(place: Locator): Promise<unknown> | undefined {
    return this.#queue.before(place);
  }

  /** Brings the content of a file onto this disk; null where nothing can. See {@link FileSystemParts.fetch}. */
  get fetch(): ((file: Locator) => Promise<void>) | null {
    return this.#parts.fetch ?? null;
  }

  /** Records a change of content that no operation covers. */
  contentChanged(file: Locator): void {
    this.#parts.locks.changed(file);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** @throws DOMException InvalidStateError once the client was closed */
  requireOpen(context: string): void {
    if (!this.#isOpen) {
      throw domException('InvalidStateError', `${context}: this client of ${this.origin} was closed.`);
    }
  }

  /** Remembers what has to end with the client; what was still being opened when that ended does at once. */
  keep(resource: OpenResource): void {
    if (this.#isOpen) this.#open.add(resource);
    else resource.end();
  }

  forget(resource: OpenResource): void {
    this.#open.delete(resource);
  }

  /**
   * Ends sync access handles, writables (as if aborted) and observations at once; refuses new work. Resolves when the
   * operations that were under way have ended, each whole or not at all.
   */
  async close(): Promise<void> {
    this.#isOpen = false;
    this.changes.close();
    for (const resource of this.#open) resource.end();
    this.#open.clear();
    await this.#queue.idle();
  }
}
