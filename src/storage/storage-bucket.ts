import { double } from '../webidl/conversions.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import { estimateOf, type ManagedBucket, type StorageEstimate } from './storage-manager.ts';

/** https://wicg.github.io/storage-buckets/#enumdef-storagebucketdurability */
export type StorageBucketDurability = 'strict' | 'relaxed';

/** What is reached through a bucket; interfaces of other standards, which a standard's folder may not import. */
export interface BucketEndpoints {
  readonly directory: object;
  readonly indexedDB: object;
  readonly caches: object;
  readonly locks: object;
}

/** A named bucket as one client has it, which the host gives. Its methods reject with what the web's callers may see. */
export interface NamedBucket<Endpoints extends BucketEndpoints> extends ManagedBucket<Endpoints['directory']> {
  readonly name: string;
  durability(): Promise<StorageBucketDurability>;
  /** Milliseconds since 1970, or null. */
  expires(): Promise<number | null>;
  setExpires(expires: number): Promise<void>;
  readonly indexedDB: Endpoints['indexedDB'];
  readonly caches: Endpoints['caches'];
  readonly locks: Endpoints['locks'];
}

/**
 * A bucket of an origin beside its default one, with files, databases, caches and locks of its own. Once it is deleted
 * or expired it is gone for good, also where another one has got its name: then its own methods reject with UnknownError,
 * as Chromium's do where the draft has InvalidStateError; so do those of its databases and caches, and those of its files
 * and locks with InvalidStateError.
 * https://wicg.github.io/storage-buckets/#storagebucket
 */
export class StorageBucket<Endpoints extends BucketEndpoints = BucketEndpoints> {
  readonly #bucket: NamedBucket<Endpoints>;

  /** @internal */
  constructor(token: typeof internal, bucket: NamedBucket<Endpoints>) {
    if (token !== internal) illegalConstructor();
    this.#bucket = bucket;
  }

  static #bucketOf<Endpoints extends BucketEndpoints>(bucket: StorageBucket<Endpoints>): NamedBucket<Endpoints> {
    if (!(#bucket in bucket)) throw illegalInvocation('StorageBucket');
    return bucket.#bucket;
  }

  /** https://wicg.github.io/storage-buckets/#dom-storagebucket-name */
  get name(): string {
    return StorageBucket.#bucketOf(this).name;
  }

  /**
   * True, for nothing on a server's disk is ever evicted; false where the root is read-only, which cannot remember it.
   * What is persisted expires nevertheless. https://wicg.github.io/storage-buckets/#dom-storagebucket-persist
   */
  async persist(): Promise<boolean> {
    return StorageBucket.#bucketOf(this).makePersistent();
  }

  /** Whether somebody asked for it. https://wicg.github.io/storage-buckets/#dom-storagebucket-persisted */
  async persisted(): Promise<boolean> {
    return StorageBucket.#bucketOf(this).isPersistent();
  }

  /**
   * Bytes in use, counted now, and bytes that may be: its own quota, or what its origin may take.
   * https://wicg.github.io/storage-buckets/#dom-storagebucket-estimate
   */
  async estimate(): Promise<StorageEstimate> {
    return estimateOf(StorageBucket.#bucketOf(this));
  }

  /**
   * What holds for all that is written into it: `strict` where its maker asked for that, or the host has it for all.
   * https://wicg.github.io/storage-buckets/#dom-storagebucket-durability
   */
  async durability(): Promise<StorageBucketDurability> {
    return StorageBucket.#bucketOf(this).durability();
  }

  /**
   * Milliseconds since 1970; from then on the bucket is gone for everybody. On the disk when the promise fulfils.
   * https://wicg.github.io/storage-buckets/#dom-storagebucket-setexpires
   */
  async setExpires(expires: number): Promise<void>;
  async setExpires(...args: unknown[]): Promise<void> {
    const bucket = StorageBucket.#bucketOf(this);
    requireArguments(args.length, 1, 'StorageBucket', 'setExpires');
    return bucket.setExpires(double(args[0], "Failed to execute 'setExpires' on 'StorageBucket': parameter 1"));
  }

  /** Milliseconds since 1970; null: never. https://wicg.github.io/storage-buckets/#dom-storagebucket-expires */
  async expires(): Promise<number | null> {
    return StorageBucket.#bucketOf(this).expires();
  }

  /** https://wicg.github.io/storage-buckets/#dom-storagebucket-indexeddb */
  get indexedDB(): Endpoints['indexedDB'] {
    return StorageBucket.#bucketOf(this).indexedDB;
  }

  /** https://wicg.github.io/storage-buckets/#dom-storagebucket-caches */
  get caches(): Endpoints['caches'] {
    return StorageBucket.#bucketOf(this).caches;
  }

  /** As Chromium has it; the draft says nothing of locks. https://w3c.github.io/web-locks/#api-lock-manager */
  get locks(): Endpoints['locks'] {
    return StorageBucket.#bucketOf(this).locks;
  }

  /** The root directory of its file system. https://wicg.github.io/storage-buckets/#dom-storagebucket-getdirectory */
  async getDirectory(): Promise<Endpoints['directory']> {
    return StorageBucket.#bucketOf(this).directory();
  }
}

defineInterface(StorageBucket, {
  name: 'StorageBucket',
  operations: { persist: 0, persisted: 0, estimate: 0, durability: 0, setExpires: 1, expires: 0, getDirectory: 0 },
  attributes: ['name', 'indexedDB', 'caches', 'locks'],
});
