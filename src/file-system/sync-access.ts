import fs from 'node:fs';
import type { Locator } from '../disk/locator.ts';
import type { FileLock } from '../disk/locks/lock-table.ts';
import type { Content } from '../disk/tree/content.ts';
import type { ReadFile } from '../disk/tree/contents.ts';
import type { OpenFile } from '../disk/tree/file-tree.ts';
import { type Timer, clearTimeout, setTimeout } from '../runtime/timers.ts';
import { entryError, webErrorOf } from './errors.ts';
import type { FileMeter, FileSystem, OpenResource } from './file-system.ts';

/** How long others' observers may wait to hear of writes that no flush or close has made known. */
const REPORT_DELAY_MS = 50;

/** What a sync access handle works on; in mode 'read-only' nothing is ever written, nor paid for. */
export type AccessedFile = OpenFile | (ReadFile & { readonly extent: null });

/**
 * The open file of a sync access handle: a descriptor and the lock that guards it, which end together. It does not
 * know its handle, so that a handle that was dropped can be collected and this be ended.
 */
export class SyncAccess implements OpenResource {
  readonly #meter: FileMeter | undefined;
  /** To be covered before the file is written; null: it is open to be read only. */
  readonly extent: AccessedFile['extent'];
  readonly #system: FileSystem;
  readonly #locator: Locator;
  readonly #lock: FileLock;
  readonly #content: Content;
  #descriptor: number | null;
  #report: Timer | null = null;

  constructor(system: FileSystem, locator: Locator, { descriptor, content, extent }: AccessedFile, lock: FileLock) {
    this.#system = system;
    this.#locator = locator;
    this.#descriptor = descriptor;
    this.extent = extent;
    this.#content = content;
    this.#lock = lock;
    this.#meter = system.meter;
    system.keep(this);
  }

  /** @throws DOMException InvalidStateError when it was closed, or the lock was taken away with its dead session */
  descriptor(context: string): number {
    if (this.#descriptor === null) throw entryError('InvalidStateError', context, this.#locator, 'was closed');
    if (this.#lock.lost) throw entryError('InvalidStateError', context, this.#locator, 'is no longer locked by this handle');
    return this.#descriptor;
  }

  /** What is in the file. @throws as `descriptor` */
  content(context: string): Content {
    this.descriptor(context);
    return this.#content;
  }

  /** The directory of the bucket that it is in. */
  get bucket(): string {
    return this.#system.path;
  }

  get isReadOnly(): boolean {
    return this.extent === null;
  }

  /** The same, for a change. @throws DOMException as above; NoModificationAllowedError in mode 'read-only' */
  writable(context: string): Content {
    this.writableDescriptor(context);
    return this.#content;
  }

  /** The descriptor, for a change. @throws as `writable` */
  writableDescriptor(context: string): number {
    const descriptor = this.descriptor(context);
    if (this.isReadOnly) {
      throw entryError('NoModificationAllowedError', context, this.#locator, "was opened in mode 'read-only'");
    }
    return descriptor;
  }

  /** The web's form of an operating system's error. */
  failure(error: unknown, access: 'read' | 'write', context: string): unknown {
    return webErrorOf(error, this.#locator, access, context);
  }

  /** Takes note of a read of so many bytes. */
  read(bytes: number): void {
    this.#meter?.read(bytes);
  }

  /** Takes note of a write of so many bytes, and makes it known as {@link changed} does. */
  written(bytes: number): void {
    this.#meter?.written(this.#locator, bytes);
    this.changed();
  }

  /**
   * Makes a change known. An observer in this realm hears of every one; so that a write stays one system call where
   * there is none, others hear of several at once: at the flush, at the close, or soon after.
   */
  changed(): void {
    if (this.#system.changes.isObserved) this.#tellOthers();
    else this.#report ??= setTimeout(() => this.reportChanges(), REPORT_DELAY_MS).unref();
  }

  /** Makes known what was not yet. */
  reportChanges(): void {
    if (this.#report === null) return;
    clearTimeout(this.#report);
    this.#report = null;
    this.#tellOthers();
  }

  /**
   * Closes the descriptor, then ends the lock; harmless when called twice. Never throws: what was written is in the
   * file, and that it is on the disk is for flush() to say.
   */
  end(): void {
    if (this.#descriptor === null) return;
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    this.#system.forget(this);
    this.reportChanges();
    try {
      fs.closeSync(descriptor);
    } catch {
      // It is closed whatever close() says.
    }
    this.#lock.release();
  }

  /** The bytes are in the file: a session that can say nothing any more is no failure of whoever wrote them. */
  #tellOthers(): void {
    try {
      this.#system.contentChanged(this.#locator);
    } catch {
      // The lock is gone with the session; the next use of the handle says so.
    }
  }
}
