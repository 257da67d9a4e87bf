// The methods of FileSystemFileHandle: what they are given is converted in the caller's turn.
import { boolean, dictionary, enumeration } from '../../webidl/conversions.ts';
import type { Entry } from '../entry.ts';
import type { FileSystemCreateSyncAccessHandleOptions, FileSystemCreateWritableOptions } from '../file-handle.ts';
import type { FileSystemSyncAccessHandle } from '../sync-access-handle.ts';
import type { FileSystemWritableFileStream } from '../writable-file-stream.ts';

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

function contextOf(operation: string): string {
  return `Failed to execute '${operation}' on 'FileSystemFileHandle'`;
}

/** https://fs.spec.whatwg.org/#dom-filesystemfilehandle-getfile */
export function getFile(entry: Entry): Promise<File> {
  return entry.system.perform(({ getFile }) => getFile(entry, contextOf('getFile')));
}

/** https://fs.spec.whatwg.org/#dom-filesystemfilehandle-createwritable */
export function createWritable(entry: Entry, [options]: readonly unknown[]): Promise<FileSystemWritableFileStream> {
  const context = contextOf('createWritable');
  const { keepExistingData, mode } = convertWritableOptions(options, `${context}: parameter 1`);
  return entry.system.perform(({ createWritable }) => createWritable(entry, keepExistingData, mode, context));
}

/** https://fs.spec.whatwg.org/#dom-filesystemfilehandle-createsyncaccesshandle */
export function createSyncAccessHandle(entry: Entry, [options]: readonly unknown[]): Promise<FileSystemSyncAccessHandle> {
  const context = contextOf('createSyncAccessHandle');
  const { mode } = convertSyncAccessOptions(options, `${context}: parameter 1`);
  return entry.system.perform(({ createSyncAccessHandle }) => createSyncAccessHandle(entry, mode, context));
}
