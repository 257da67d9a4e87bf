import type { BucketEntry } from '../../disk/buckets/policies.ts';
import type { FileSystem } from '../../file-system/file-system.ts';
import { StorageBucketManager, type BucketShelf, type WantedBucket } from '../../storage/storage-bucket-manager.ts';
import { internal } from '../../webidl/interface.ts';
import type { Bucket } from '../bucket.ts';
import type { StorageClient } from '../storage-client.ts';
import { ClientBucket } from './client-bucket.ts';
import type { Endpoints } from './endpoints.ts';
import { asShelfError } from './errors.ts';
import type { NamedBuckets } from './named-buckets.ts';

/** The named buckets as one client has them; what it has of them ends with it. */
export class ClientBuckets implements BucketShelf<Endpoints> {
  readonly manager: StorageBucketManager<Endpoints>;
  readonly #client: StorageClient;
  readonly #home: Bucket;
  /** By the ids of their buckets. */
  readonly #opened = new Map<string, ClientBucket>();

  constructor(client: StorageClient, home: Bucket) {
    this.#client = client;
    this.#home = home;
    this.manager = new StorageBucketManager(internal, this);
    home.note(client);
  }

  /** Those of the origin in this realm, once the root is open. @throws HoldfastError */
  get #named(): NamedBuckets {
    this.#client.requireOpen();
    this.#home.open();
    return this.#home.named;
  }

  async open(name: string, wanted: WantedBucket): Promise<ClientBucket> {
    return this.#attempt((named) => this.#of(named.register.open(name, wanted)));
  }

  async keys(): Promise<string[]> {
    return this.#attempt(({ register }) => register.names());
  }

  async delete(name: string): Promise<void> {
    return this.#attempt(({ register }) => register.delete(name));
  }

  /** The files of a bucket, by the name that its handles bear; once it is gone those of the default one. @throws HoldfastError */
  fileSystemOf(id: unknown): FileSystem {
    const entry = typeof id === 'string' ? this.#named.register.find(id) : undefined;
    return entry === undefined ? this.#client.fileSystem : this.#of(entry).fileSystem;
  }

  async end(): Promise<void> {
    const opened = [...this.#opened.values()];
    this.#opened.clear();
    await Promise.all(opened.map((bucket) => bucket.end()));
  }

  #of(entry: BucketEntry): ClientBucket {
    const known = this.#opened.get(entry.id);
    if (known?.isGone === false) return known;
    for (const [id, bucket] of this.#opened) if (bucket.isGone) this.#opened.delete(id);
    const made = new ClientBucket(this.#client, this.#named, entry);
    this.#opened.set(entry.id, made);
    return made;
  }

  async #attempt<Result>(action: (named: NamedBuckets) => Result): Promise<Result> {
    try {
      const { encryption } = this.#home.place;
      if (encryption !== undefined) await encryption.prepare();
      return action(this.#named);
    } catch (error) {
      throw asShelfError(error);
    }
  }
}
