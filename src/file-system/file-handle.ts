import { boolean, dictionary, enumeration } from '../webidl/conversions.ts';
import { defineInterface } from '../webidl/interface.ts';
import { FileSystemHandle, requireEntry } from './handle.ts';
import type { FileSystemSyncAccessHandle } from './sync-access-handle.ts';
import type { FileSystemWritableFileStream } from './writable-file-stream.ts';

/** https://github.com/whatwg/fs/blob/main/proposals/MultipleReadersWriters.md */
export type FileSystemWritableFileStreamMode = 'siloed' | 'exclusive';

/** https://github.com/whatwg/fs/blob/main/proposals/MultipleReadersWriters.md */
export type FileSystemSyncAccessHandleMode = 'readwrite' | 'read-only' | 'readwrite-unsafe';

/** https://fs.spec.whatwg.org/#dictdef-filesystemcreatewritableoptions */
export interface FileSystemCreateWritableOptions {
  /** Begin with the file's present content instead of nothing; the cursor is at 0 all the same. */
  keepExistingData?: boolean;
  /** `siloed`: other siloed writables may be open; the last to close wins. `exclusive`: only this one. */
  mode?: FileSystemWritableFileStreamMode;
}

export interface FileSystemCreateSyncAccessHandleOptions {
  /** `readwrite` is alone; `read-only` and `readwrite-unsafe` share the file with their own kind. */
  mode?: FileSystemSyncAccessHandleMode;
}

const convertWritableOptions = dictionary<Required<FileSystemCreateWritableOptions>>({
  keepExistingData: { convert: boolean, default: false },
  mode: { convert: enumeration('FileSystemWritableFileStreamMode', ['siloed', 'exclusive']), default: 'siloed' },
});

const convertSyncAccessOptions = dictionary<Required<FileSystemCreateSyncAccessHandleOptions>>({
  mode: {
    convert: enumeration('FileSystemSyncAccessHandleMode', ['readwrite', 'read-only', 'readwrite-unsafe']),
    default: 'readwrite',
  },
});

const interfaceName = 'FileSystemFileHandle';

function contextOf(operation: string): string {
  return `Failed to execute '${operation}' on '${interfaceName}'`;
}

/** https://fs.spec.whatwg.org/#api-filesystemfilehandle */
export class FileSystemFileHandle extends FileSystemHandle<'file'> {
  /**
   * The file as it is now. Reading it later fails with NotReadableError when it was changed since, NotFoundError when
   * it was removed. https://fs.spec.whatwg.org/#dom-filesystemfilehandle-getfile
   *
   * Rejects with NotFoundError.
   */
  async getFile(): Promise<File> {
    const entry = requireEntry(this, interfaceName, 'file');
    return entry.system.perform(({ getFile }) => getFile(entry, contextOf('getFile')));
  }

  /**
   * A stream whose data takes the file's place, in one step, when it is closed; until then, and for ever when it is
   * aborted, the file keeps its content. https://fs.spec.whatwg.org/#dom-filesystemfilehandle-createwritable
   *
   * Rejects with NotFoundError, or NoModificationAllowedError when another handle's lock or an unwritable root is in
   * the way.
   */
  async createWritable(options: FileSystemCreateWritableOptions = {}): Promise<FileSystemWritableFileStream> {
    const context = contextOf('createWritable');
    const entry = requireEntry(this, interfaceName, 'file');
    const { keepExistingData, mode } = convertWritableOptions(options, `${context}: parameter 1`);
    return entry.system.perform(({ createWritable }) => createWritable(entry, keepExistingData, mode, context));
  }

  /**
   * Synchronous access to the file in place. https://fs.spec.whatwg.org/#dom-filesystemfilehandle-createsyncaccesshandle
   *
   * Rejects with NotFoundError, or NoModificationAllowedError when another handle's lock is in the way.
   */
  async createSyncAccessHandle(
    options: FileSystemCreateSyncAccessHandleOptions = {},
  ): Promise<FileSystemSyncAccessHandle> {
    const context = contextOf('createSyncAccessHandle');
    const entry = requireEntry(this, interfaceName, 'file');
    const { mode } = convertSyncAccessOptions(options, `${context}: parameter 1`);
    return entry.system.perform(({ createSyncAccessHandle }) => createSyncAccessHandle(entry, mode, context));
  }
}

defineInterface(FileSystemFileHandle, {
  name: interfaceName,
  operations: { getFile: 0, createWritable: 0, createSyncAccessHandle: 0 },
});
