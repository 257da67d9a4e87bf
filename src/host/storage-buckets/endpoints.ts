import type { CacheStorage } from '../../cache-storage/cache-storage.ts';
import type { FileSystemDirectoryHandle } from '../../file-system/directory-handle.ts';
import type { IDBFactory } from '../../indexed-db/factory.ts';
import type { LockManager } from '../../web-locks/lock-manager.ts';

/** What is reached through a bucket here. */
export interface Endpoints {
  readonly directory: FileSystemDirectoryHandle;
  readonly indexedDB: IDBFactory;
  readonly caches: CacheStorage;
  readonly locks: LockManager;
}
