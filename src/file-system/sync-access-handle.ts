import fs from 'node:fs';
import { isBeyondSizeLimit } from '../runtime/size-limit.ts';
import { bufferSource, enforcedUnsignedLongLong, isObject } from '../webidl/conversions.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import type { FileSystemSyncAccessHandleMode } from './file-handle.ts';
import type { SyncAccess } from './sync-access.ts';

/** https://fs.spec.whatwg.org/#dictdef-filesystemreadwriteoptions */
export interface FileSystemReadWriteOptions {
  /** Bytes from the start of the file; where it is absent, the cursor is meant. */
  at?: number;
}

type AllowSharedBufferSource = ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

const interfaceName = 'FileSystemSyncAccessHandle';
const READ = `Failed to execute 'read' on '${interfaceName}'`;
const WRITE = `Failed to execute 'write' on '${interfaceName}'`;
const TRUNCATE = `Failed to execute 'truncate' on '${interfaceName}'`;
const GET_SIZE = `Failed to execute 'getSize' on '${interfaceName}'`;
const FLUSH = `Failed to execute 'flush' on '${interfaceName}'`;

/** Converts the buffer without making anything of a view, which the runtime takes as it is. */
function convertBuffer(buffer: unknown, context: string): ArrayBufferView {
  return ArrayBuffer.isView(buffer) ? buffer : bufferSource(buffer, context);
}

/** The dictionary's `at`, converted by hand because this runs on every read and write. */
function convertAt(options: unknown, context: string): number | undefined {
  if (options === undefined || options === null) return undefined;
  if (!isObject(options)) throw new TypeError(`${context}: parameter 2 is not an object.`);
  const { at } = options as { at?: unknown };
  return at === undefined ? undefined : enforcedUnsignedLongLong(at, context);
}

/**
 * Writes the rest after a short count, which a full disk gives. What was written counts; only when that is nothing is
 * there an error.
 */
function writeRest(descriptor: number, bytes: ArrayBufferView, written: number, position: number): number {
  try {
    const rest = bytes.byteLength - written;
    return written + fs.writeSync(descriptor, bytes as NodeJS.ArrayBufferView, written, rest, position + written);
  } catch (error) {
    if (written > 0) return written;
    throw error;
  }
}

/**
 * Synchronous access to one file, in place. Every call is done, and visible to all processes, when it returns; it is
 * on the disk after `flush()`. https://fs.spec.whatwg.org/#api-filesystemsyncaccesshandle
 */
export class FileSystemSyncAccessHandle {
  readonly #access: SyncAccess;
  readonly #mode: FileSystemSyncAccessHandleMode;
  /** https://fs.spec.whatwg.org/#filesystemsyncaccesshandle-file-position-cursor */
  #cursor = 0;

  /** @internal */
  constructor(token: typeof internal, access: SyncAccess, mode: FileSystemSyncAccessHandleMode) {
    if (token !== internal) illegalConstructor();
    this.#access = access;
    this.#mode = mode;
  }

  /** https://github.com/whatwg/fs/blob/main/proposals/MultipleReadersWriters.md */
  get mode(): FileSystemSyncAccessHandleMode {
    if (!(#access in this)) throw illegalInvocation(interfaceName);
    return this.#mode;
  }

  /**
   * Fills `buffer` from the file and returns how many bytes there were; fewer than fit only at the file's end.
   * https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-read
   *
   * @throws InvalidStateError after close; TypeError for an offset that is negative or beyond 2^53 - 1
   */
  read(buffer: AllowSharedBufferSource, options?: FileSystemReadWriteOptions): number {
    if (!(#access in this)) throw illegalInvocation(interfaceName);
    requireArguments(arguments.length, 1, interfaceName, 'read');
    const bytes = convertBuffer(buffer, READ);
    const position = convertAt(options, READ) ?? this.#cursor;
    const descriptor = this.#access.descriptor(READ);
    try {
      const count = fs.readSync(descriptor, bytes as NodeJS.ArrayBufferView, 0, bytes.byteLength, position);
      this.#cursor = count > 0 ? position + count : Math.min(position, fs.fstatSync(descriptor).size);
      return count;
    } catch (error) {
      throw this.#access.failure(error, 'read', READ);
    }
  }

  /**
   * Writes `buffer` into the file and returns how many bytes were written; fewer than given only on a full disk. A gap
   * before them is filled with zeros. https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-write
   *
   * @throws InvalidStateError after close; NoModificationAllowedError in mode 'read-only'; QuotaExceededError when
   * nothing fits on the disk; TypeError for an offset that the disk cannot have
   */
  write(buffer: AllowSharedBufferSource, options?: FileSystemReadWriteOptions): number {
    if (!(#access in this)) throw illegalInvocation(interfaceName);
    requireArguments(arguments.length, 1, interfaceName, 'write');
    const bytes = convertBuffer(buffer, WRITE);
    const position = convertAt(options, WRITE) ?? this.#cursor;
    const descriptor = this.#access.writable(WRITE);
    try {
      let count = fs.writeSync(descriptor, bytes as NodeJS.ArrayBufferView, 0, bytes.byteLength, position);
      if (count < bytes.byteLength) count = writeRest(descriptor, bytes, count, position);
      this.#cursor = position + count;
      this.#access.changed();
      return count;
    } catch (error) {
      if (isBeyondSizeLimit(error)) throw new TypeError(`${WRITE}: the disk has no position ${position}.`, { cause: error });
      throw this.#access.failure(error, 'write', WRITE);
    }
  }

  /**
   * Makes the file `newSize` bytes long, with zeros where it grows. A cursor beyond the end moves to the end.
   * https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-truncate
   *
   * @throws as write does; QuotaExceededError for a size that the disk cannot have
   */
  truncate(newSize: number): void {
    if (!(#access in this)) throw illegalInvocation(interfaceName);
    requireArguments(arguments.length, 1, interfaceName, 'truncate');
    const size = enforcedUnsignedLongLong(newSize, `${TRUNCATE}: parameter 1`);
    const descriptor = this.#access.writable(TRUNCATE);
    try {
      fs.ftruncateSync(descriptor, size);
    } catch (error) {
      throw this.#access.failure(error, 'write', TRUNCATE);
    }
    this.#cursor = Math.min(this.#cursor, size);
    this.#access.changed();
  }

  /** Bytes. https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-getsize */
  getSize(): number {
    if (!(#access in this)) throw illegalInvocation(interfaceName);
    const descriptor = this.#access.descriptor(GET_SIZE);
    try {
      return fs.fstatSync(descriptor).size;
    } catch (error) {
      throw this.#access.failure(error, 'read', GET_SIZE);
    }
  }

  /** Returns when what was written is on the disk. https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-flush */
  flush(): void {
    if (!(#access in this)) throw illegalInvocation(interfaceName);
    const descriptor = this.#access.writable(FLUSH);
    try {
      fs.fdatasyncSync(descriptor);
    } catch (error) {
      throw this.#access.failure(error, 'write', FLUSH);
    }
    this.#access.reportChanges();
  }

  /** Lets go of the file and its lock; harmless when called twice. https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-close */
  close(): void {
    if (!(#access in this)) throw illegalInvocation(interfaceName);
    this.#access.end();
  }
}

defineInterface(FileSystemSyncAccessHandle, {
  name: interfaceName,
  attributes: ['mode'],
  operations: { read: 1, write: 1, truncate: 1, getSize: 0, flush: 0, close: 0 },
});
