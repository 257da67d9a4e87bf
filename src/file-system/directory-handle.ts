import { define } from '../runtime/define.ts';
import { defineInterface } from '../webidl/interface.ts';
import type { FileSystemDirectoryHandleAsyncIterator } from './directory-iterator.ts';
import type { FileSystemFileHandle } from './file-handle.ts';
import { FileSystemHandle, requireEntry } from './handle.ts';
import type { FileSystemRemoveOptions } from './handle.ts';
import { behaviour } from './loading.ts';

/** https://fs.spec.whatwg.org/#dictdef-filesystemgetfileoptions */
export interface FileSystemGetFileOptions {
  create?: boolean;
}

/** https://fs.spec.whatwg.org/#dictdef-filesystemgetdirectoryoptions */
export type FileSystemGetDirectoryOptions = FileSystemGetFileOptions;

const interfaceName = 'FileSystemDirectoryHandle';

type AnyHandle = FileSystemFileHandle | FileSystemDirectoryHandle;

/** https://fs.spec.whatwg.org/#api-filesystemdirectoryhandle */
export class FileSystemDirectoryHandle extends FileSystemHandle<'directory'> {
  /**
   * The file of that name; with `create`, an empty one where there is none.
   * https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-getfilehandle
   *
   * Rejects with NotFoundError, TypeMismatchError (a directory has the name), TypeError (no valid name),
   * NoModificationAllowedError (the root cannot be written), QuotaExceededError (the disk is full).
   */
  async getFileHandle(name: string, options?: FileSystemGetFileOptions): Promise<FileSystemFileHandle>;
  async getFileHandle(...args: unknown[]): Promise<FileSystemFileHandle> {
    const entry = requireEntry(this, interfaceName, 'directory');
    return behaviour().directoryHandle.getFileHandle(entry, args);
  }

  /**
   * The directory of that name; with `create`, an empty one where there is none. Rejects as `getFileHandle` does.
   * https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-getdirectoryhandle
   */
  async getDirectoryHandle(name: string, options?: FileSystemGetDirectoryOptions): Promise<FileSystemDirectoryHandle>;
  async getDirectoryHandle(...args: unknown[]): Promise<FileSystemDirectoryHandle> {
    const entry = requireEntry(this, interfaceName, 'directory');
    return behaviour().directoryHandle.getDirectoryHandle(entry, args);
  }

  /**
   * Removes a child. Rejects as {@link FileSystemHandle.remove} does.
   * https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-removeentry
   */
  async removeEntry(name: string, options?: FileSystemRemoveOptions): Promise<void>;
  async removeEntry(...args: unknown[]): Promise<void> {
    const entry = requireEntry(this, interfaceName, 'directory');
    return behaviour().directoryHandle.removeEntry(entry, args);
  }

  /**
   * The names that lead from here to the handle's place; empty for this place itself, null for one elsewhere.
   * https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-resolve
   */
  async resolve(possibleDescendant: FileSystemHandle): Promise<string[] | null>;
  async resolve(...args: unknown[]): Promise<string[] | null> {
    const entry = requireEntry(this, interfaceName, 'directory');
    return behaviour().directoryHandle.resolve(entry, args);
  }

  /**
   * Names and handles of the children, in no certain order, read while the iteration proceeds: what is created or
   * removed meanwhile may or may not be seen. https://fs.spec.whatwg.org/#api-filesystemdirectoryhandle-asynciterable
   */
  entries(): FileSystemDirectoryHandleAsyncIterator<[string, AnyHandle]> {
    const entry = requireEntry(this, interfaceName, 'directory');
    return behaviour().directoryHandle.createDirectoryIterator(entry, 'entries');
  }

  keys(): FileSystemDirectoryHandleAsyncIterator<string> {
    const entry = requireEntry(this, interfaceName, 'directory');
    return behaviour().directoryHandle.createDirectoryIterator(entry, 'keys');
  }

  values(): FileSystemDirectoryHandleAsyncIterator<AnyHandle> {
    const entry = requireEntry(this, interfaceName, 'directory');
    return behaviour().directoryHandle.createDirectoryIterator(entry, 'values');
  }

  declare [Symbol.asyncIterator]: () => FileSystemDirectoryHandleAsyncIterator<[string, AnyHandle]>;
}

// https://webidl.spec.whatwg.org/#js-asynchronous-iterable: one function under two keys
define(FileSystemDirectoryHandle.prototype, Symbol.asyncIterator, {
  value: FileSystemDirectoryHandle.prototype.entries,
  writable: true,
  enumerable: false,
  configurable: true,
});

defineInterface(FileSystemDirectoryHandle, {
  name: interfaceName,
  operations: {
    getFileHandle: 1,
    getDirectoryHandle: 1,
    removeEntry: 1,
    resolve: 1,
    entries: 0,
    keys: 0,
    values: 0,
  },
});
