import { boolean, dictionary, USVString } from '../webidl/conversions.ts';
import { defineInterface, requireArguments } from '../webidl/interface.ts';
import { createDirectoryIterator } from './directory-iterator.ts';
import type { FileSystemDirectoryHandleAsyncIterator } from './directory-iterator.ts';
import { relativePath, requireValidName } from './entry.ts';
import type { FileSystemFileHandle } from './file-handle.ts';
import { convertHandle, convertRemoveOptions, FileSystemHandle, requireEntry } from './handle.ts';
import type { FileSystemRemoveOptions } from './handle.ts';

/** https://fs.spec.whatwg.org/#dictdef-filesystemgetfileoptions */
export interface FileSystemGetFileOptions {
  create?: boolean;
}

/** https://fs.spec.whatwg.org/#dictdef-filesystemgetdirectoryoptions */
export type FileSystemGetDirectoryOptions = FileSystemGetFileOptions;

const convertGetOptions = dictionary<Required<FileSystemGetFileOptions>>({
  create: { convert: boolean, default: false },
});

const interfaceName = 'FileSystemDirectoryHandle';

function contextOf(operation: string): string {
  return `Failed to execute '${operation}' on '${interfaceName}'`;
}

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
  async getFileHandle(name: string, options: FileSystemGetFileOptions = {}): Promise<FileSystemFileHandle> {
    const context = contextOf('getFileHandle');
    const entry = requireEntry(this, interfaceName, 'directory');
    requireArguments(arguments.length, 1, interfaceName, 'getFileHandle');
    const convertedName = USVString(name, `${context}: parameter 1`);
    const { create } = convertGetOptions(options, `${context}: parameter 2`);
    requireValidName(convertedName, context);
    return entry.system.perform(({ getFileHandle }) => getFileHandle(entry, convertedName, create, context));
  }

  /**
   * The directory of that name; with `create`, an empty one where there is none. Rejects as `getFileHandle` does.
   * https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-getdirectoryhandle
   */
  async getDirectoryHandle(
    name: string,
    options: FileSystemGetDirectoryOptions = {},
  ): Promise<FileSystemDirectoryHandle> {
    const context = contextOf('getDirectoryHandle');
    const entry = requireEntry(this, interfaceName, 'directory');
    requireArguments(arguments.length, 1, interfaceName, 'getDirectoryHandle');
    const convertedName = USVString(name, `${context}: parameter 1`);
    const { create } = convertGetOptions(options, `${context}: parameter 2`);
    requireValidName(convertedName, context);
    return entry.system.perform(({ getDirectoryHandle }) => getDirectoryHandle(entry, convertedName, create, context));
  }

  /**
   * Removes a child. Rejects as {@link FileSystemHandle.remove} does.
   * https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-removeentry
   */
  async removeEntry(name: string, options: FileSystemRemoveOptions = {}): Promise<void> {
    const context = contextOf('removeEntry');
    const entry = requireEntry(this, interfaceName, 'directory');
    requireArguments(arguments.length, 1, interfaceName, 'removeEntry');
    const convertedName = USVString(name, `${context}: parameter 1`);
    const { recursive } = convertRemoveOptions(options, `${context}: parameter 2`);
    requireValidName(convertedName, context);
    await entry.system.perform(({ removeEntry }) => removeEntry(entry, convertedName, recursive, context));
  }

  /**
   * The names that lead from here to the handle's place; empty for this place itself, null for one elsewhere.
   * https://fs.spec.whatwg.org/#dom-filesystemdirectoryhandle-resolve
   */
  async resolve(possibleDescendant: FileSystemHandle): Promise<string[] | null> {
    const entry = requireEntry(this, interfaceName, 'directory');
    requireArguments(arguments.length, 1, interfaceName, 'resolve');
    return relativePath(entry, convertHandle(possibleDescendant, `${contextOf('resolve')}: parameter 1`));
  }

  /**
   * Names and handles of the children, in no certain order, read while the iteration proceeds: what is created or
   * removed meanwhile may or may not be seen. https://fs.spec.whatwg.org/#api-filesystemdirectoryhandle-asynciterable
   */
  entries(): FileSystemDirectoryHandleAsyncIterator<[string, AnyHandle]> {
    return createDirectoryIterator(requireEntry(this, interfaceName, 'directory'), 'entries');
  }

  keys(): FileSystemDirectoryHandleAsyncIterator<string> {
    return createDirectoryIterator(requireEntry(this, interfaceName, 'directory'), 'keys');
  }

  values(): FileSystemDirectoryHandleAsyncIterator<AnyHandle> {
    return createDirectoryIterator(requireEntry(this, interfaceName, 'directory'), 'values');
  }

  declare [Symbol.asyncIterator]: () => FileSystemDirectoryHandleAsyncIterator<[string, AnyHandle]>;
}

// https://webidl.spec.whatwg.org/#js-asynchronous-iterable: one function under two keys
Object.defineProperty(FileSystemDirectoryHandle.prototype, Symbol.asyncIterator, {
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
