import type { BucketEntry } from '../../disk/buckets/policies.ts';
import { bucketDeleted } from '../../disk/buckets/named-directory.ts';
import type { CacheStorage } from '../../cache-storage/cache-storage.ts';
import type { CacheStore } from '../../disk/caches/cache-store.ts';
import type { WebLockTable } from '../../disk/locks/lock-table.ts';
import type { FileSystemDirectoryHandle } from '../../file-system/directory-handle.ts';
import type { FileSystem } from '../../file-system/file-system.ts';
import { loadBehaviour } from '../../file-system/loading.ts';
import type { IDBFactory } from '../../indexed-db/factory.ts';
import { uptime } from '../../runtime/timers.ts';
import type { NamedBucket, StorageBucketDurability } from '../../storage/storage-bucket.ts';
import type { UsageDetails } from '../../storage/storage-manager.ts';
import { createLockManager, LockManager } from '../../web-locks/lock-manager.ts';
import type { Bucket, BucketClient } from '../bucket.ts';
import { cachesPart } from '../caches/provide.ts';
import { indexedDb } from '../indexed-db/provide.ts';
import { isReadOnly } from '../storage-bucket.ts';
import type { Endpoints } from './endpoints.ts';
import { asBucketError, asDirectoryError } from './errors.ts';
import type { NamedBuckets } from './named-buckets.ts';

/** What named buckets need of the client whose they are. */
export interface BucketsClient {
  readonly id: string;
  readonly url: string;
  readonly closed: boolean;
  /** @throws HoldfastError closed */
  requireOpen(): void;
}

/** How long an answer of what the disk has left may be given again, in milliseconds: it changes with whatever others write. */
const STEADY_MS = 60_000;

/** A named bucket as one client has it: with files, databases, caches and locks that end with the client, or the bucket. */
export class ClientBucket implements NamedBucket<Endpoints>, BucketClient {
  readonly name: string;
  readonly #entryId: string;
  readonly #client: BucketsClient;
  readonly #named: NamedBuckets;
  readonly #bucket: Bucket;
  #locks: LockManager | undefined;
  #indexedDB: IDBFactory | undefined;
  #caches: CacheStorage | undefined;
  #fileSystem: FileSystem | undefined;
  #quota: { readonly bytes: number; readonly until: number } | undefined;

  constructor(client: BucketsClient, named: NamedBuckets, entry: BucketEntry) {
    this.name = entry.name;
    this.#entryId = entry.id;
    this.#client = client;
    this.#named = named;
    this.#bucket = named.of(entry);
  }

  /** The client's. */
  get id(): string {
    return this.#client.id;
  }

  get openFiles(): number {
    return this.#fileSystem?.openCount ?? 0;
  }

  get isGone(): boolean {
    return this.#bucket.closed;
  }

  makePersistent(): Promise<boolean> {
    return this.#policy(async () => {
      try {
        return this.#changed(this.#named.register.persist(this.#entryId));
      } catch (error) {
        if (isReadOnly(error)) return false;
        throw error;
      }
    });
  }

  isPersistent(): Promise<boolean> {
    return this.#policy(async () => this.#entry.persisted);
  }

  durability(): Promise<StorageBucketDurability> {
    return this.#policy(async () => this.#bucket.durability);
  }

  expires(): Promise<number | null> {
    return this.#policy(async () => this.#entry.expires);
  }

  setExpires(expires: number): Promise<void> {
    return this.#policy(async () => void this.#changed(this.#named.register.expire(this.#entryId, expires)));
  }

  usage(): Promise<UsageDetails> {
    return this.#policy(() => this.#bucket.usage());
  }

  /** Where only the disk limits it, the same for a while. */
  quota(usage: number): Promise<number> {
    return this.#policy(async () => {
      const now = uptime();
      if (this.#quota === undefined || now > this.#quota.until) this.#quota = { bytes: await this.#bucket.quota(usage), until: now + STEADY_MS };
      return Math.max(this.#quota.bytes, usage);
    });
  }

  async directory(): Promise<FileSystemDirectoryHandle> {
    try {
      this.#use();
      return (await loadBehaviour()).createRootHandle(this.fileSystem);
    } catch (error) {
      throw asDirectoryError(error);
    }
  }

  /** Its files as this client sees them. */
  get fileSystem(): FileSystem {
    if (this.#fileSystem === undefined) {
      this.#fileSystem = this.#bucket.createFileSystem();
      this.#bucket.note(this);
    }
    return this.#fileSystem;
  }

  get indexedDB(): IDBFactory {
    if (this.#indexedDB === undefined) {
      this.#indexedDB = indexedDb.code.createFactory(this.#bucket.databases);
      this.#bucket.note(this);
    }
    return this.#indexedDB;
  }

  get caches(): CacheStorage {
    return (this.#caches ??= cachesPart.code.createCacheStorage({ url: this.#client.url, store: () => this.#cacheStore() }));
  }

  get locks(): LockManager {
    if (this.#locks === undefined) {
      const { engine } = this.#bucket;
      this.#locks = createLockManager({
        table: () => this.#lockTable(),
        clientId: this.id,
        isActive: () => !this.#client.closed && !this.isGone,
        witness: () => engine.locksMeter,
      });
      this.#bucket.note(this);
    }
    return this.#locks;
  }

  async end(): Promise<void> {
    this.#bucket.keep(this, false);
    const ends = [
      async () => this.#locks && LockManager.end(this.#locks),
      async () => this.#indexedDB && indexedDb.code.endFactory(this.#indexedDB),
      async () => this.#fileSystem?.close(),
    ];
    // Each ends whatever becomes of the others: a bucket that is gone has no place for what its locks say.
    await Promise.allSettled(ends.map((end) => end()));
  }

  /** @throws HoldfastError bucket-deleted; closed; root-newer, root-unusable or disk-unsupported */
  #use(): void {
    this.#client.requireOpen();
    this.#bucket.open();
  }

  get #entry(): BucketEntry {
    const entry = this.#named.register.find(this.#entryId);
    if (entry === undefined) throw bucketDeleted(this.name);
    return entry;
  }

  #changed(isThere: boolean): boolean {
    if (!isThere) throw bucketDeleted(this.name);
    return isThere;
  }

  async #lockTable(): Promise<WebLockTable> {
    this.#use();
    await this.#bucket.engine.locksReady();
    this.#use();
    return this.#bucket.engine.webLocks;
  }

  async #cacheStore(): Promise<CacheStore> {
    this.#use();
    await this.#bucket.engine.ready();
    this.#use();
    return this.#bucket.cacheStore;
  }

  async #policy<Result>(action: () => Promise<Result>): Promise<Result> {
    try {
      this.#use();
      return await action();
    } catch (error) {
      throw asBucketError(error);
    }
  }
}
