// What the interface objects do not hold themselves. Loaded as one module before the first handle is made.
export { FileSystem } from './file-system.ts';
export { createRootHandle, deserializeHandle } from './handles.ts';
export * as directoryHandle from './methods/directory-handle.ts';
export * as fileHandle from './methods/file-handle.ts';
export * as handle from './methods/handle.ts';
export { Observations } from './methods/observations.ts';
export { SyncFile } from './methods/sync-file.ts';
export * as writableFileStream from './methods/writable-file-stream.ts';
