import type { ChannelJournal } from '../disk/channels/channel-journal.ts';
import type { CacheStore } from '../disk/caches/cache-store.ts';
import { MapJournal } from '../disk/map/map-journal.ts';
import { DEFAULT_QUOTA } from '../disk/map/map-state.ts';
import type { BucketPlace } from '../disk/place.ts';
import { BucketDirectory } from '../disk/root/bucket-directory.ts';
import type { Durability } from '../disk/root/durable.ts';
import type { Root } from '../disk/root/root.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import { behaviour } from '../file-system/loading.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { randomInteger } from '../runtime/random.ts';
import type { UsageDetails } from '../storage/storage-manager.ts';
import { broadcastChannel } from './broadcast-channel/provide.ts';
import { BucketEngine } from './bucket-engine.ts';
import type { BucketAllowance, EnginePlace } from './bucket-engine.ts';
import { cachesPart } from './caches/provide.ts';
import type { BucketQuota } from './options.ts';
import type { BucketSync, SyncedBucket } from './sync/bucket-sync.ts';
import type { BucketDatabases } from './indexed-db/bucket-databases.ts';
import { indexedDb } from './indexed-db/provide.ts';
import { Meter } from './meter.ts';
import type { Counts } from './meter.ts';
import type { OriginSync, SyncStatus } from './sync/origin-sync.ts';
import type { ClientMap, StorageClient } from './storage-client.ts';
import type { SyncSettings } from './sync/options.ts';
import type { NamedBuckets } from './storage-buckets/named-buckets.ts';
import { bucketsPart } from './storage-buckets/provide.ts';
import { createSync } from './sync/provide.ts';
import { WeakMapByName } from './weak-map-by-name.ts';

/** What a bucket takes of what a process has few of. */
export interface BucketUse {
  /** Journals that are open, with a descriptor each. */
  readonly journals: number;
  /** Open handles and observations. */
  readonly files: number;
  /** Directories that are watched for `storage` events. */
  readonly watched: number;
}

/** The name of the bucket that an origin has from its beginning. */
const DEFAULT = 'default';

/** A client as the bucket knows it. */
export interface BucketClient {
  readonly id: string;
  /** Handles and observations that are open. */
  readonly openFiles: number;
  end(): Promise<void>;
}

/** What a bucket needs of its host. */
export interface BucketOwner {
  readonly host: object;
  readonly root: Root;
  /** What an origin may take. */
  quotaOf(origin: string): BucketQuota;
  readonly sync: SyncSettings | undefined;
  /** What the host counts. */
  readonly counts: Counts;
  /** Keeps the bucket's objects alive while `inUse`; otherwise they may go as soon as nobody holds them. */
  keep(bucket: Bucket, inUse: boolean): void;
  /** What is closed before the host's clients are. */
  readonly users: Set<{ close(): Promise<void> }>;
}

/**
 * What all clients of an origin's default bucket share in this realm: its map, its locks, its files. A named bucket is the
 * same but for what `storage-buckets/named-bucket.ts` says.
 * https://storage.spec.whatwg.org/#storage-bucket
 *
 * - Nothing is opened before it is used, and nothing is created before it is written to.
 * - The host holds it weakly, but while something of it is in use; what users hold leads here.
 */
export class Bucket implements EnginePlace {
  readonly origin: string;
  readonly name: string;
  readonly place: BucketPlace;
  readonly meter: Meter;
  /** The quota of its maps in bytes of UTF-16. */
  readonly mapQuota: number;
  readonly #owner: BucketOwner;
  readonly #quota: BucketQuota;
  /** Clients with something that only they have. */
  readonly #inUse = new Set<BucketClient>();
  /** Clients with something that ends with the host, by their ids. */
  #clients: WeakMapByName<BucketClient> | undefined;
  #engine: BucketEngine | undefined;
  #map: MapJournal | undefined;
  #channels: ChannelJournal | undefined;
  #databases: BucketDatabases | undefined;
  #cacheStore: CacheStore | undefined;
  /** Null: the host has no hub for the origin. */
  readonly #sync: BucketSync | null;
  #closed = false;
  #named: NamedBuckets | undefined;
  /** The client that `host.origin()` gives. */
  client: StorageClient | undefined;

  /** `place`: where it is, if that is not the origin's own; `name`: what its handles bear. */
  constructor(owner: BucketOwner, origin: string, place?: BucketPlace, name = DEFAULT) {
    this.origin = origin;
    this.name = name;
    this.place = place ?? new BucketDirectory(owner.root, origin, name);
    this.meter = new Meter(owner.counts, owner.root.path, origin);
    this.#owner = owner;
    this.#quota = owner.quotaOf(origin);
    this.mapQuota = this.#quota.map ?? DEFAULT_QUOTA;
    this.#sync = name === DEFAULT ? createSync(origin, owner.sync, () => this.#forSync()) : null;
  }

  get root(): Root {
    return this.#owner.root;
  }

  get engine(): BucketEngine {
    return (this.#engine ??= new BucketEngine(this));
  }

  get durability(): Durability {
    return this.root.durability;
  }

  /** What its files may take: what the map may is set aside, whether it takes it or not. */
  get allowance(): BucketAllowance {
    const { total } = this.#quota;
    return { total, aside: this.mapQuota, origin: total };
  }

  /** The origin's other buckets. */
  get named(): NamedBuckets {
    return (this.#named ??= new bucketsPart.code.NamedBuckets(this, this.#owner));
  }


  /** Whose bucket it is: buckets of two hosts have nothing to do with each other, but for the disk. */
  get host(): object {
    return this.#owner.host;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** @throws HoldfastError closed */
  requireOpen(): void {
    if (this.#closed) throw new HoldfastError('closed', `The host of ${this.origin} was closed.`);
  }

  /**
   * To be called before anything reads the disk.
   *
   * @throws HoldfastError closed; root-newer, root-unusable or disk-unsupported
   */
  open(): void {
    this.requireOpen();
    this.#owner.root.open();
    this.place.requirePlain?.();
    this.requireThere();
    void this.#sync?.start();
  }

  /** To be called before anything relies on the bucket's being the one that it was. @throws HoldfastError */
  requireThere(): void {
    // A default bucket that somebody has removed is made anew.
  }

  #forSync(): SyncedBucket {
    return {
      origin: this.origin,
      place: this.place,
      durability: this.#owner.root.durability,
      engine: this.engine,
      meter: this.meter,
      map: () => this.#mapJournal(),
      mapClient: (url: string) => this.#mapJournal().client(randomInteger(), url),
      channelJournal: () => this.channelJournal(),
      requireOpen: () => this.requireOpen(),
      keep: () => this.#owner.keep(this, true),
    };
  }

  /** The origin's place in a hub's order; null where the host has none for it. */
  get sync(): OriginSync | null {
    if (this.#sync === null) return null;
    this.open();
    return this.#sync.surface;
  }

  /** The map as one more client has it. */
  mapClient(url: string): ClientMap {
    return this.#mapJournal().client(randomInteger(), url);
  }

  #mapJournal(): MapJournal {
    return (this.#map ??= new MapJournal(this.place, {
      url: `${this.origin}/`,
      durability: this.#owner.root.durability,
      shared: this.#owner.root.shared,
      onCompaction: this.meter.compacted,
      owner: this.#owner.host,
      ...(this.#quota.map !== undefined && { quota: this.#quota.map }),
      ...(this.#sync !== null && { replicate: this.#sync.replicate }),
    }));
  }

  /** What the databases of all clients in this realm are opened by. */
  get databases(): BucketDatabases {
    return (this.#databases ??= new indexedDb.code.BucketDatabases(this));
  }

  /** What the channels of all clients in this realm go through. */
  channelJournal(): ChannelJournal {
    return (this.#channels ??= broadcastChannel.code.journalOf(this, this.#sync?.broadcasts));
  }

  /** Does something of the storage that is awaited; a coordinator's calls wait for it. */
  holding<Result>(work: () => Promise<Result>): Promise<Result> {
    return work();
  }

  /** A client's own view of the files. What their operations need is loaded when the first handle is used. */
  createFileSystem(): FileSystem {
    const { engine } = this;
    const requireThere = (): void => this.requireThere();
    return new (behaviour().FileSystem)({
      origin: this.origin,
      bucket: this.name,
      place: this.place,
      load: async () => (await engine.ready()).algorithms,
      get tree() {
        requireThere();
        return engine.tree;
      },
      get locks() {
        requireThere();
        return engine.locks;
      },
      salt: () => this.#owner.root.ensure().salt,
      get meter() {
        return engine.filesMeter;
      },
      ...(this.#sync?.fetch && { fetch: this.#sync.fetch }),
    });
  }

  /** Its caches, once the engine is ready. @throws HoldfastError disk-failed where the code cannot be loaded */
  get cacheStore(): CacheStore {
    return (this.#cacheStore ??= cachesPart.code.createCacheStore(this.engine));
  }

  get #mapBytes(): number {
    return this.#mapJournal().current().bytes;
  }

  /** Bytes in use. */
  async usage(): Promise<UsageDetails> {
    const { usageOf } = await this.engine.ready();
    return { ...(await usageOf(this.engine.account)), localStorage: this.#mapBytes };
  }

  /** Bytes that may be in use: what the user chose, or else what is in use and what the disk has left beside its reserve. */
  async quota(usage: number): Promise<number> {
    await this.engine.ready();
    return this.engine.account.quota(usage);
  }

  /** Notes whether a client has something that would be lost if nobody held the client. */
  keep(client: BucketClient, inUse: boolean): void {
    if (inUse) this.#inUse.add(client);
    else this.#inUse.delete(client);
    this.#owner.keep(this, this.#inUse.size > 0 || this.#sync?.isRunning === true);
  }

  /** Notes a client with something that must end with the host; does not hold it. */
  note(client: BucketClient): void {
    this.#clients ??= new WeakMapByName();
    this.#clients.set(client.id, client);
  }

  /** What of it takes descriptors and watches now. */
  get use(): BucketUse {
    const open = [...(this.#clients?.values() ?? [])].reduce((total, { openFiles }) => total + openFiles, 0);
    const journals = Number(this.#map?.isOpen === true) + Number(this.#cacheStore?.isOpen === true) + Number(this.#engine?.isRunning === true);
    return { journals, files: open, watched: Number(this.#map?.isWatching === true) };
  }

  /** How it stands to its hub, if anything of it was asked to. */
  get syncStatus(): SyncStatus | null {
    return this.#sync?.isRunning === true && !this.#closed ? this.#sync.surface.status() : null;
  }

  /** Ends all clients and closes what is open; resolves when the operations that were under way have ended. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const clients = new Set<BucketClient>([...this.#inUse, ...(this.#clients?.values() ?? [])]);
    if (this.client !== undefined) clients.add(this.client);
    await Promise.all([...clients].map((client) => client.end()));
    await this.#sync?.end();
    this.#map?.close();
    this.#channels?.close();
    try {
      await this.#databases?.close();
    } finally {
      this.#cacheStore?.close();
      await this.engine.close();
      await this.#named?.close();
    }
  }
}
