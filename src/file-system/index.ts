// For tests: all of it, with the behaviour of the interface objects there from the start.
import './loaded.ts';

export type { FileSystemChangeRecord, FileSystemChangeType } from './change-record.ts';
export { FileSystemDirectoryHandle } from './directory-handle.ts';
export type { FileSystemGetDirectoryOptions, FileSystemGetFileOptions } from './directory-handle.ts';
export type { FileSystemDirectoryHandleAsyncIterator } from './directory-iterator.ts';
export { FileSystemFileHandle } from './file-handle.ts';
export type { FileSystemCreateSyncAccessHandleOptions, FileSystemCreateWritableOptions } from './file-handle.ts';
export { FileSystem } from './file-system.ts';
export type { FileSystemParts } from './file-system.ts';
export { FileSystemHandle } from './handle.ts';
export type { FileSystemHandlePermissionDescriptor, FileSystemRemoveOptions } from './handle.ts';
export { createRootHandle, deserializeHandle, isHandle, serializeHandle } from './handles.ts';
export type { HandleData } from './handles.ts';
export { FileSystemObserver } from './observer.ts';
export type { FileSystemObserverCallback, FileSystemObserverObserveOptions } from './observer.ts';
export { FileSystemSyncAccessHandle } from './sync-access-handle.ts';
export type { FileSystemReadWriteOptions, FileSystemSyncAccessHandleMode } from './sync-access-handle.ts';
export { writableFileStreamInterface } from './writable-file-stream.ts';
export type { FileSystemWritableFileStream, FileSystemWritableFileStreamMode } from './writable-file-stream.ts';
export type { FileSystemWriteChunkType, WriteCommandType, WriteParams } from './write-chunk.ts';
