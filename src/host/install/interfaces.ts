import { FileSystemDirectoryHandle } from '../../file-system/directory-handle.ts';
import { FileSystemFileHandle } from '../../file-system/file-handle.ts';
import { FileSystemHandle } from '../../file-system/handle.ts';
import { FileSystemObserver } from '../../file-system/observer.ts';
import { FileSystemSyncAccessHandle } from '../../file-system/sync-access-handle.ts';
import { writableFileStreamInterface } from '../../file-system/writable-file-stream.ts';
import { StorageManager } from '../../storage/storage-manager.ts';
import { LockManager } from '../../web-locks/lock-manager.ts';
import { Lock } from '../../web-locks/lock.ts';
import { QuotaExceededError } from '../../webidl/quota-exceeded-error.ts';
import { StorageEvent } from '../../web-storage/storage-event.ts';
import { Storage } from '../../web-storage/storage.ts';
import { cachesPart } from '../caches/provide.ts';
import { indexedDb } from '../indexed-db/provide.ts';
import { bucketsPart } from '../storage-buckets/provide.ts';
import { deferredInterfaceObject, interfaceObject } from './definition.ts';
import type { Definition } from './definition.ts';
import type { GlobalName, InstallSettings } from './settings.ts';

/** The realm in which alone an interface or a member exists. https://webidl.spec.whatwg.org/#Exposed */
type OnlyIn = 'window' | 'worker';

interface Interface {
  readonly name: string;
  readonly object: (exposure: InstallSettings['exposure']) => object;
  /** The globals that bring it along. */
  readonly for: readonly GlobalName[];
  readonly onlyIn?: OnlyIn;
  /** Making it loads much code. */
  readonly isCostly?: true;
}

const webStorage = ['localStorage', 'sessionStorage'] as const;
const files = ['navigator.storage'] as const;
const locks = ['navigator.locks'] as const;
const databases = ['indexedDB'] as const;
const caches = ['caches'] as const;
const buckets = ['navigator.storageBuckets'] as const;

const interfacesOfIndexedDb = [
  'DOMStringList', 'IDBCursor', 'IDBCursorWithValue', 'IDBDatabase', 'IDBFactory', 'IDBIndex', 'IDBKeyRange', 'IDBObjectStore',
  'IDBOpenDBRequest', 'IDBRecord', 'IDBRequest', 'IDBTransaction', 'IDBVersionChangeEvent',
] as const;

function costly<const Name extends string>(
  names: readonly Name[],
  globals: readonly GlobalName[],
  object: (name: Name, exposure: InstallSettings['exposure']) => object,
): Interface[] {
  return names.map((name) => ({ name, for: globals, isCostly: true, object: (exposure) => object(name, exposure) }));
}

const interfaces: readonly Interface[] = [
  { name: 'QuotaExceededError', object: () => QuotaExceededError, for: [...webStorage, ...files, ...databases, ...caches, ...buckets] },
  { name: 'Storage', object: () => Storage, for: webStorage, onlyIn: 'window' },
  { name: 'StorageEvent', object: () => StorageEvent, for: webStorage, onlyIn: 'window' },
  { name: 'StorageManager', object: () => StorageManager, for: files },
  { name: 'FileSystemHandle', object: () => FileSystemHandle, for: files },
  { name: 'FileSystemFileHandle', object: () => FileSystemFileHandle, for: files },
  { name: 'FileSystemDirectoryHandle', object: () => FileSystemDirectoryHandle, for: files },
  { name: 'FileSystemWritableFileStream', object: writableFileStreamInterface, for: files, isCostly: true },
  { name: 'FileSystemSyncAccessHandle', object: () => FileSystemSyncAccessHandle, for: files, onlyIn: 'worker' },
  { name: 'FileSystemObserver', object: () => FileSystemObserver, for: files },
  { name: 'LockManager', object: () => LockManager, for: locks },
  { name: 'Lock', object: () => Lock, for: locks },
  ...costly(interfacesOfIndexedDb, databases, (name) => indexedDb.code.interfaces[name]),
  ...costly(['Cache', 'CacheStorage'], caches, (name) => cachesPart.code[name]),
  ...costly(['StorageBucket', 'StorageBucketManager'], buckets, (name, exposure) => bucketsPart.code.interfaceNamed(name, exposure)),
];

/** Operations of interfaces of both realms that one of them lacks. */
const members: readonly { readonly prototype: object; readonly name: string; readonly onlyIn: OnlyIn }[] = [
  { prototype: FileSystemFileHandle.prototype, name: 'createSyncAccessHandle', onlyIn: 'worker' },
  { prototype: StorageManager.prototype, name: 'persist', onlyIn: 'window' },
];

/** The interface objects of the chosen globals, and the absence of what the exposure does not have. */
export function interfaceDefinitions({ target, globals, exposure }: InstallSettings): Definition[] {
  const isExposed = (onlyIn: OnlyIn | undefined): boolean => onlyIn === undefined || exposure === 'all' || exposure === onlyIn;
  return [
    ...interfaces
      .filter((each) => isExposed(each.onlyIn) && each.for.some((name) => globals.has(name)))
      .map((each) =>
        each.isCostly
          ? deferredInterfaceObject(target, each.name, () => each.object(exposure))
          : interfaceObject(target, each.name, each.object(exposure)),
      ),
    ...members
      .filter((each) => !isExposed(each.onlyIn))
      .map((each) => ({ target: each.prototype, key: each.name, descriptor: undefined })),
  ];
}
