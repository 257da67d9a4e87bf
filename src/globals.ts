import type * as threads from 'node:worker_threads';
import type { Cache as HoldfastCache } from './cache-storage/cache.ts';
import type * as FileSystem from './file-system/index.ts';
import type * as IndexedDB from './indexed-db/index.ts';
import type { StorageClient } from './host/storage-client.ts';
import type { StorageHost } from './host/storage-host.ts';
import { putProperty } from './host/install/definition.ts';
import { EnvironmentStorage, settingsFromEnvironment } from './host/install/environment.ts';
import { eventDefinitions } from './host/install/event-definitions.ts';
import { clientSource, globalDefinitions } from './host/install/global-definitions.ts';
import type { StorageEventInit as EventInit } from './web-storage/storage-event.ts';
import type { Lock as WebLock } from './web-locks/lock.ts';

const storage = new EnvironmentStorage();
const settings = settingsFromEnvironment(storage);
const current = clientSource(settings);
// Never undone, so without what install() keeps to undo it.
for (const definition of globalDefinitions(settings, current)) {
  // To define over what Node makes at the first touch (its BroadcastChannel, its Storage) would make it first.
  Reflect.deleteProperty(definition.target, definition.key);
  putProperty(definition);
}
if (settings.events && settings.exposure !== 'worker') {
  for (const definition of eventDefinitions(globalThis, current)) putProperty(definition);
}

/**
 * The client whose storage the globals are now: that of the environment's origin or, inside `host().run()`, the one that
 * runs. It is where `storage` events are heard: `client().addEventListener('storage', …)`.
 *
 * @throws HoldfastError bad-option when the environment says what makes no sense
 */
export function client(): StorageClient {
  return current();
}

/**
 * The host behind the globals, for other origins and for `stats()`. The environment is read by the first call, or by the
 * first use of a storage. Nobody has to close it.
 *
 * @throws HoldfastError bad-option when the environment says what makes no sense
 */
export function host(): StorageHost {
  return storage.host;
}

// The types of what is installed. Where the program's libraries know a name already, theirs stand: an interface then
// extends nothing new, and a variable repeats the known type.

// Each library is known by a name that no other has: lib.dom, lib.webworker, Deno's, later versions of @types/node.
type Dom = typeof globalThis extends { onabort: unknown } ? true : false;
type Worker = typeof globalThis extends { importScripts: unknown } ? true : false;
type Deno = typeof globalThis extends { Deno: unknown } ? true : false;
type NodeLocks = typeof threads extends { locks: unknown } ? true : false;

type Known = Dom extends true ? true : Worker;
type KnownStorage = Dom extends true ? true : Deno;
/** Deno knows of Node's module, but its own navigator has no locks. */
type KnownLocks = Known extends true ? true : Deno extends true ? false : NodeLocks;

/** Deno's own are not kept on the disk that the program chooses. */
type KnownCaches = Known extends true ? true : Deno;

type Unless<Condition, Type> = Condition extends true ? object : Type;
type Interface<Instance> = { prototype: Instance; new (): Instance };

/** As lib.dom and @types/node have it. */
interface GlobalStorage {
  readonly length: number;
  clear(): void;
  getItem(key: string): string | null;
  key(index: number): string | null;
  removeItem(key: string): void;
  setItem(key: string, value: string): void;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- interfaces merge only where they are identical
  [key: string]: any;
}

type StorageOfGlobals = Unless<KnownStorage, GlobalStorage>;
type EventOfGlobals = Unless<
  Dom,
  Event & {
    readonly key: string | null;
    readonly oldValue: string | null;
    readonly newValue: string | null;
    readonly url: string;
    readonly storageArea: Storage | null;
  }
>;
type ManagerOfGlobals = Unless<Known, StorageClient['storage']>;
type LockManagerOfGlobals = Unless<Known, StorageClient['locks']>;
type LockOfGlobals = Unless<Known, WebLock>;
type HandleOfGlobals = Unless<Known, FileSystem.FileSystemHandle>;
type FileHandleOfGlobals = Unless<Known, FileSystem.FileSystemFileHandle>;
type DirectoryHandleOfGlobals = Unless<Known, FileSystem.FileSystemDirectoryHandle>;
type WritableOfGlobals = Unless<Known, FileSystem.FileSystemWritableFileStream>;
type SyncAccessOfGlobals = Unless<Worker, FileSystem.FileSystemSyncAccessHandle>;
type DatabaseInterfaces = typeof IndexedDB.interfaces;
type DatabaseInstance<Name extends keyof DatabaseInterfaces> = InstanceType<DatabaseInterfaces[Name]>;
type DOMStringListOfGlobals = Unless<Known, DatabaseInstance<'DOMStringList'>>;
type IDBCursorOfGlobals = Unless<Known, DatabaseInstance<'IDBCursor'>>;
type IDBCursorWithValueOfGlobals = Unless<Known, DatabaseInstance<'IDBCursorWithValue'>>;
type IDBDatabaseOfGlobals = Unless<Known, DatabaseInstance<'IDBDatabase'>>;
type IDBFactoryOfGlobals = Unless<Known, DatabaseInstance<'IDBFactory'>>;
type IDBIndexOfGlobals = Unless<Known, DatabaseInstance<'IDBIndex'>>;
type IDBKeyRangeOfGlobals = Unless<Known, DatabaseInstance<'IDBKeyRange'>>;
type IDBObjectStoreOfGlobals = Unless<Known, DatabaseInstance<'IDBObjectStore'>>;
type IDBOpenDBRequestOfGlobals = Unless<Known, DatabaseInstance<'IDBOpenDBRequest'>>;
type IDBRequestOfGlobals<T> = Unless<Known, IndexedDB.IDBRequest<T>>;
type IDBTransactionOfGlobals = Unless<Known, DatabaseInstance<'IDBTransaction'>>;
type IDBVersionChangeEventOfGlobals = Unless<Known, DatabaseInstance<'IDBVersionChangeEvent'>>;
type CacheOfGlobals = Unless<KnownCaches, HoldfastCache>;
type CachesOfGlobals = Unless<KnownCaches, StorageClient['caches']>;
type StorageOfNavigator = Unless<Known, { readonly storage: StorageManager }>;
type LocksOfNavigator = Unless<KnownLocks, { readonly locks: LockManager }>;
type BucketsOfGlobals = StorageClient['storageBuckets'];
type BucketOfGlobals = Awaited<ReturnType<BucketsOfGlobals['open']>>;
type BucketsOfNavigator = { readonly storageBuckets: StorageBucketManager };

/* eslint-disable @typescript-eslint/no-empty-object-type -- only interfaces merge with those of libraries */
declare global {
  interface Storage extends StorageOfGlobals {}
  interface StorageEvent extends EventOfGlobals {}
  interface StorageManager extends ManagerOfGlobals {}
  interface LockManager extends LockManagerOfGlobals {}
  interface Lock extends LockOfGlobals {}
  interface FileSystemHandle extends HandleOfGlobals {}
  interface FileSystemFileHandle extends FileHandleOfGlobals {}
  interface FileSystemDirectoryHandle extends DirectoryHandleOfGlobals {}
  interface FileSystemWritableFileStream extends WritableOfGlobals {}
  interface FileSystemSyncAccessHandle extends SyncAccessOfGlobals {}
  interface FileSystemObserver extends FileSystem.FileSystemObserver {}
  interface DOMStringList extends DOMStringListOfGlobals {}
  interface IDBCursor extends IDBCursorOfGlobals {}
  interface IDBCursorWithValue extends IDBCursorWithValueOfGlobals {}
  interface IDBDatabase extends IDBDatabaseOfGlobals {}
  interface IDBFactory extends IDBFactoryOfGlobals {}
  interface IDBIndex extends IDBIndexOfGlobals {}
  interface IDBKeyRange extends IDBKeyRangeOfGlobals {}
  interface IDBObjectStore extends IDBObjectStoreOfGlobals {}
  interface IDBOpenDBRequest extends IDBOpenDBRequestOfGlobals {}
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- interfaces merge only where they are identical
  interface IDBRequest<T = any> extends IDBRequestOfGlobals<T> {}
  interface IDBTransaction extends IDBTransactionOfGlobals {}
  interface IDBVersionChangeEvent extends IDBVersionChangeEventOfGlobals {}
  interface Cache extends CacheOfGlobals {}
  interface CacheStorage extends CachesOfGlobals {}
  interface StorageBucket extends BucketOfGlobals {}
  interface StorageBucketManager extends BucketsOfGlobals {}
  interface Navigator extends StorageOfNavigator, LocksOfNavigator, BucketsOfNavigator {}
  interface WorkerNavigator extends BucketsOfNavigator {}

  var localStorage: Storage;
  var sessionStorage: Storage;
  var caches: CacheStorage;
  var navigator: typeof globalThis extends { onmessage: unknown; navigator: infer T } ? T : Navigator;
  var Storage: typeof globalThis extends { onabort: unknown; Storage: infer T } ? T : Interface<Storage>;
  var StorageEvent: typeof globalThis extends { onabort: unknown; StorageEvent: infer T }
    ? T
    : { prototype: StorageEvent; new (type: string, eventInitDict?: EventInit): StorageEvent };
  var StorageManager: typeof globalThis extends { onabort: unknown; StorageManager: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; StorageManager: infer T }
      ? T
      : Interface<StorageManager>;
  var LockManager: typeof globalThis extends { onabort: unknown; LockManager: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; LockManager: infer T }
      ? T
      : Interface<LockManager>;
  var Lock: typeof globalThis extends { onabort: unknown; Lock: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; Lock: infer T }
      ? T
      : Interface<Lock>;
  var Cache: typeof globalThis extends { onabort: unknown; Cache: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; Cache: infer T }
      ? T
      : typeof globalThis extends { Deno: unknown; Cache: infer T }
        ? T
        : Interface<Cache>;
  var CacheStorage: typeof globalThis extends { onabort: unknown; CacheStorage: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; CacheStorage: infer T }
      ? T
      : typeof globalThis extends { Deno: unknown; CacheStorage: infer T }
        ? T
        : Interface<CacheStorage>;
  var StorageBucket: Interface<StorageBucket>;
  var StorageBucketManager: Interface<StorageBucketManager>;
  var FileSystemHandle: typeof globalThis extends { onabort: unknown; FileSystemHandle: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; FileSystemHandle: infer T }
      ? T
      : Interface<FileSystemHandle>;
  var FileSystemFileHandle: typeof globalThis extends { onabort: unknown; FileSystemFileHandle: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; FileSystemFileHandle: infer T }
      ? T
      : Interface<FileSystemFileHandle>;
  var FileSystemDirectoryHandle: typeof globalThis extends { onabort: unknown; FileSystemDirectoryHandle: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; FileSystemDirectoryHandle: infer T }
      ? T
      : Interface<FileSystemDirectoryHandle>;
  var FileSystemWritableFileStream: typeof globalThis extends { onabort: unknown; FileSystemWritableFileStream: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; FileSystemWritableFileStream: infer T }
      ? T
      : Interface<FileSystemWritableFileStream>;
  var FileSystemSyncAccessHandle: typeof globalThis extends { importScripts: unknown; FileSystemSyncAccessHandle: infer T }
    ? T
    : Interface<FileSystemSyncAccessHandle>;
  var DOMStringList: typeof globalThis extends { onabort: unknown; DOMStringList: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; DOMStringList: infer T }
      ? T
      : DatabaseInterfaces['DOMStringList'];
  var IDBCursor: typeof globalThis extends { onabort: unknown; IDBCursor: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; IDBCursor: infer T }
      ? T
      : DatabaseInterfaces['IDBCursor'];
  var IDBCursorWithValue: typeof globalThis extends { onabort: unknown; IDBCursorWithValue: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; IDBCursorWithValue: infer T }
      ? T
      : DatabaseInterfaces['IDBCursorWithValue'];
  var IDBDatabase: typeof globalThis extends { onabort: unknown; IDBDatabase: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; IDBDatabase: infer T }
      ? T
      : DatabaseInterfaces['IDBDatabase'];
  var IDBFactory: typeof globalThis extends { onabort: unknown; IDBFactory: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; IDBFactory: infer T }
      ? T
      : DatabaseInterfaces['IDBFactory'];
  var IDBIndex: typeof globalThis extends { onabort: unknown; IDBIndex: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; IDBIndex: infer T }
      ? T
      : DatabaseInterfaces['IDBIndex'];
  var IDBKeyRange: typeof globalThis extends { onabort: unknown; IDBKeyRange: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; IDBKeyRange: infer T }
      ? T
      : DatabaseInterfaces['IDBKeyRange'];
  var IDBObjectStore: typeof globalThis extends { onabort: unknown; IDBObjectStore: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; IDBObjectStore: infer T }
      ? T
      : DatabaseInterfaces['IDBObjectStore'];
  var IDBOpenDBRequest: typeof globalThis extends { onabort: unknown; IDBOpenDBRequest: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; IDBOpenDBRequest: infer T }
      ? T
      : DatabaseInterfaces['IDBOpenDBRequest'];
  var IDBRequest: typeof globalThis extends { onabort: unknown; IDBRequest: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; IDBRequest: infer T }
      ? T
      : DatabaseInterfaces['IDBRequest'];
  var IDBTransaction: typeof globalThis extends { onabort: unknown; IDBTransaction: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; IDBTransaction: infer T }
      ? T
      : DatabaseInterfaces['IDBTransaction'];
  var IDBVersionChangeEvent: typeof globalThis extends { onabort: unknown; IDBVersionChangeEvent: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; IDBVersionChangeEvent: infer T }
      ? T
      : DatabaseInterfaces['IDBVersionChangeEvent'];
  var indexedDB: typeof globalThis extends { onabort: unknown; indexedDB: infer T }
    ? T
    : typeof globalThis extends { importScripts: unknown; indexedDB: infer T }
      ? T
      : IDBFactory;
  var FileSystemObserver: {
    prototype: FileSystemObserver;
    new (callback: FileSystem.FileSystemObserverCallback): FileSystemObserver;
  };
}
