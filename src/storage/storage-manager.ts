import { defineInterface, illegalConstructor, illegalInvocation, internal } from '../webidl/interface.ts';

/** Bytes that each kind of storage takes, under the names that browsers use. */
export interface UsageDetails {
  readonly caches: number;
  readonly fileSystem: number;
  readonly indexedDB: number;
  readonly localStorage: number;
}

/** https://storage.spec.whatwg.org/#dictdef-storageestimate, with the breakdown that Chromium adds. */
export interface StorageEstimate {
  /** Bytes in use. */
  usage: number;
  /** Bytes that may be in use. */
  quota: number;
  usageDetails: { -readonly [Kind in keyof UsageDetails]: number };
}

/**
 * The bucket behind a StorageManager or a StorageBucket, which the host gives. Its methods reject with what the web's callers may see.
 * https://storage.spec.whatwg.org/#storage-bucket
 */
export interface ManagedBucket<Directory extends object> {
  /** The root of the bucket's file system. */
  directory(): Promise<Directory>;
  usage(): Promise<UsageDetails>;
  /** Bytes, given those in use. */
  quota(usage: number): Promise<number>;
  /** Whether the bucket's mode is `persistent`. */
  isPersistent(): Promise<boolean>;
  /** Makes it so; false where nothing can be written. */
  makePersistent(): Promise<boolean>;
}

/** What a bucket takes, and may take, in bytes. */
export async function estimateOf(bucket: ManagedBucket<object>): Promise<StorageEstimate> {
  const usageDetails = await bucket.usage();
  const usage = Object.values(usageDetails).reduce((sum, bytes) => sum + bytes, 0);
  return { usage, quota: await bucket.quota(usage), usageDetails: { ...usageDetails } };
}

/**
 * https://storage.spec.whatwg.org/#storagemanager
 *
 * `Directory` is FileSystemDirectoryHandle, which a standard's folder may not import from another.
 */
export class StorageManager<Directory extends object = object> {
  readonly #bucket: ManagedBucket<Directory>;

  constructor(token: typeof internal, bucket: ManagedBucket<Directory>) {
    if (token !== internal) illegalConstructor();
    this.#bucket = bucket;
  }

  static #bucketOf<Directory extends object>(manager: StorageManager<Directory>): ManagedBucket<Directory> {
    if (!(#bucket in manager)) throw illegalInvocation('StorageManager');
    return manager.#bucket;
  }

  /** Whether `persist()` was called for this bucket, by anyone. https://storage.spec.whatwg.org/#dom-storagemanager-persisted */
  async persisted(): Promise<boolean> {
    return StorageManager.#bucketOf(this).isPersistent();
  }

  /**
   * True, for nothing on a server's disk is ever evicted; false where the root is read-only, which cannot remember it.
   * https://storage.spec.whatwg.org/#dom-storagemanager-persist
   */
  async persist(): Promise<boolean> {
    return StorageManager.#bucketOf(this).makePersistent();
  }

  /**
   * Bytes in use, counted now, and bytes that may be. https://storage.spec.whatwg.org/#dom-storagemanager-estimate
   */
  async estimate(): Promise<StorageEstimate> {
    return estimateOf(StorageManager.#bucketOf(this));
  }

  /** The root directory of the bucket's file system. https://fs.spec.whatwg.org/#dom-storagemanager-getdirectory */
  async getDirectory(): Promise<Directory> {
    return StorageManager.#bucketOf(this).directory();
  }
}

defineInterface(StorageManager, {
  name: 'StorageManager',
  operations: { persisted: 0, persist: 0, estimate: 0, getDirectory: 0 },
});
