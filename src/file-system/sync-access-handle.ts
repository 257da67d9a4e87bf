import type { AllowSharedBufferSource } from '../webidl/buffers.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal } from '../webidl/interface.ts';
import { behaviour } from './loading.ts';
import type { SyncFile } from './methods/sync-file.ts';
import type { SyncAccess } from './sync-access.ts';

/** https://github.com/whatwg/fs/blob/main/proposals/MultipleReadersWriters.md */
export type FileSystemSyncAccessHandleMode = 'readwrite' | 'read-only' | 'readwrite-unsafe';

/** https://fs.spec.whatwg.org/#dictdef-filesystemreadwriteoptions */
export interface FileSystemReadWriteOptions {
  /** Bytes from the start of the file; where it is absent, the cursor is meant. */
  at?: number;
}

const interfaceName = 'FileSystemSyncAccessHandle';

/**
 * Synchronous access to one file, in place. Every call is done, and visible to all processes, when it returns; it is
 * on the disk after `flush()`. https://fs.spec.whatwg.org/#api-filesystemsyncaccesshandle
 */
export class FileSystemSyncAccessHandle {
  readonly #file: SyncFile;
  readonly #mode: FileSystemSyncAccessHandleMode;

  /** @internal */
  constructor(token: typeof internal, access: SyncAccess, mode: FileSystemSyncAccessHandleMode) {
    if (token !== internal) illegalConstructor();
    this.#file = new (behaviour().SyncFile)(access);
    this.#mode = mode;
  }

  /** https://github.com/whatwg/fs/blob/main/proposals/MultipleReadersWriters.md */
  get mode(): FileSystemSyncAccessHandleMode {
    if (!(#file in this)) throw illegalInvocation(interfaceName);
    return this.#mode;
  }

  /**
   * Fills `buffer` from the file and returns how many bytes there were; fewer than fit only at the file's end.
   * https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-read
   *
   * @throws InvalidStateError after close; TypeError for an offset that is negative or beyond 2^53 - 1
   */
  read(buffer: AllowSharedBufferSource, options?: FileSystemReadWriteOptions): number {
    if (!(#file in this)) throw illegalInvocation(interfaceName);
    return this.#file.read(arguments.length, buffer, options);
  }

  /**
   * Writes `buffer` into the file and returns how many bytes were written; fewer than given only on a full disk. A gap
   * before them is filled with zeros. https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-write
   *
   * @throws InvalidStateError after close; NoModificationAllowedError in mode 'read-only'; QuotaExceededError when
   * nothing fits on the disk; TypeError for an offset that the disk cannot have
   */
  write(buffer: AllowSharedBufferSource, options?: FileSystemReadWriteOptions): number {
    if (!(#file in this)) throw illegalInvocation(interfaceName);
    return this.#file.write(arguments.length, buffer, options);
  }

  /**
   * Makes the file `newSize` bytes long, with zeros where it grows. A cursor beyond the end moves to the end.
   * https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-truncate
   *
   * @throws as write does; QuotaExceededError for a size that the disk cannot have
   */
  truncate(newSize: number): void {
    if (!(#file in this)) throw illegalInvocation(interfaceName);
    this.#file.truncate(arguments.length, newSize);
  }

  /** Bytes. https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-getsize */
  getSize(): number {
    if (!(#file in this)) throw illegalInvocation(interfaceName);
    return this.#file.getSize();
  }

  /** Returns when what was written is on the disk. https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-flush */
  flush(): void {
    if (!(#file in this)) throw illegalInvocation(interfaceName);
    this.#file.flush();
  }

  /** Lets go of the file and its lock; harmless when called twice. https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-close */
  close(): void {
    if (!(#file in this)) throw illegalInvocation(interfaceName);
    this.#file.close();
  }
}

defineInterface(FileSystemSyncAccessHandle, {
  name: interfaceName,
  attributes: ['mode'],
  operations: { read: 1, write: 1, truncate: 1, getSize: 0, flush: 0, close: 0 },
});
