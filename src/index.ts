// What this door needs in its caller's turn: handles of plain data, and the option `shared`.
import './disk/journal/lockfile-provided.ts';
import './file-system/loaded.ts';

export { HoldfastError } from './runtime/holdfast-error.ts';
export type { HoldfastErrorCode } from './runtime/holdfast-error.ts';
export { StorageHost } from './host/storage-host.ts';
export type { ClientOptions } from './host/storage-host.ts';
export type { QuotaOption, StorageHostOptions, SyncedOrigins, SyncOptions } from './host/options.ts';
export type { FileConflict, OriginSync, RejectedWrite, SyncStatus, WaitOptions } from './host/origin-sync.ts';
export type { OriginLike } from './host/origin.ts';
export type { StorageClient } from './host/storage-client.ts';
export { install } from './host/install/install.ts';
export type { Exposure, InstallOptions } from './host/install/options.ts';
export type { GlobalName } from './host/install/settings.ts';
export { serializeHandle } from './file-system/handles.ts';
export type { HandleData } from './file-system/handles.ts';
export { FileSystemObserver } from './file-system/observer.ts';
export type { FileSystemChangeRecord, FileSystemObserverCallback } from './file-system/observer.ts';
export type { FileSystemDirectoryHandle } from './file-system/directory-handle.ts';
export type { FileSystemFileHandle } from './file-system/file-handle.ts';
export type { FileSystemSyncAccessHandle } from './file-system/sync-access-handle.ts';
export type { FileSystemWritableFileStream } from './file-system/writable-file-stream.ts';
export type { Lock } from './web-locks/lock.ts';
export type { LockManager } from './web-locks/lock-manager.ts';
export type { Storage } from './web-storage/storage.ts';
export type { StorageEvent } from './web-storage/storage-event.ts';
export type { StorageManager } from './storage/storage-manager.ts';
