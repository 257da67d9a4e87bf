import { defineInterface } from '../webidl/interface.ts';
import { FileSystemHandle, requireEntry } from './handle.ts';
import { behaviour } from './loading.ts';
import type { FileSystemSyncAccessHandle, FileSystemSyncAccessHandleMode } from './sync-access-handle.ts';
import type { FileSystemWritableFileStream, FileSystemWritableFileStreamMode } from './writable-file-stream.ts';

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

const interfaceName = 'FileSystemFileHandle';

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
    return behaviour().fileHandle.getFile(entry);
  }

  /**
   * A stream whose data takes the file's place, in one step, when it is closed; until then, and for ever when it is
   * aborted, the file keeps its content. https://fs.spec.whatwg.org/#dom-filesystemfilehandle-createwritable
   *
   * Rejects with NotFoundError, or NoModificationAllowedError when another handle's lock or an unwritable root is in
   * the way.
   */
  async createWritable(options?: FileSystemCreateWritableOptions): Promise<FileSystemWritableFileStream>;
  async createWritable(...args: unknown[]): Promise<FileSystemWritableFileStream> {
    const entry = requireEntry(this, interfaceName, 'file');
    return behaviour().fileHandle.createWritable(entry, args);
  }

  /**
   * Synchronous access to the file in place. https://fs.spec.whatwg.org/#dom-filesystemfilehandle-createsyncaccesshandle
   *
   * Rejects with NotFoundError, or NoModificationAllowedError when another handle's lock is in the way.
   */
  async createSyncAccessHandle(options?: FileSystemCreateSyncAccessHandleOptions): Promise<FileSystemSyncAccessHandle>;
  async createSyncAccessHandle(...args: unknown[]): Promise<FileSystemSyncAccessHandle> {
    const entry = requireEntry(this, interfaceName, 'file');
    return behaviour().fileHandle.createSyncAccessHandle(entry, args);
  }
}

defineInterface(FileSystemFileHandle, {
  name: interfaceName,
  operations: { getFile: 0, createWritable: 0, createSyncAccessHandle: 0 },
});
