import type { CacheStorage } from '../cache-storage/cache-storage.ts';
import type { CacheStore } from '../disk/caches/cache-store.ts';
import type { WebLockTable } from '../disk/locks/lock-table.ts';
import type { MapArea } from '../disk/map/map-area.ts';
import type { MapClient } from '../disk/map/map-client.ts';
import type { FileSystemDirectoryHandle } from '../file-system/directory-handle.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import type { IDBFactory } from '../indexed-db/factory.ts';
import { inThisContext } from '../runtime/callback-context.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { randomUuid } from '../runtime/random.ts';
import { StorageManager } from '../storage/storage-manager.ts';
import { illegalConstructor, internal } from '../webidl/interface.ts';
import { createLockManager, LockManager } from '../web-locks/lock-manager.ts';
import { createStorage } from '../web-storage/storage.ts';
import type { Storage } from '../web-storage/storage.ts';
import { broadcast } from '../web-storage/broadcast.ts';
import type { StorageEvent } from '../web-storage/storage-event.ts';
import type { BroadcastChannelConstructor } from '../broadcast-channel/broadcast-channel.ts';
import type { ChannelJournal } from '../disk/channels/channel-journal.ts';
import type { ClientChannels } from './broadcast-channel/client-channels.ts';
import { broadcastChannel } from './broadcast-channel/provide.ts';
import type { Bucket } from './bucket.ts';
import { cachesPart } from './caches/provide.ts';
import { ClientArea, SessionMap } from './client-area.ts';
import { ContextEventTarget } from './context-event-target.ts';
import type { Meter } from './meter.ts';
import type { OriginSync } from './sync/origin-sync.ts';
import { indexedDb } from './indexed-db/provide.ts';
import { ClientStorageBucket } from './storage-bucket.ts';
import { transaction } from './transaction/part.ts';
import type { ClientBuckets } from './storage-buckets/client-buckets.ts';
import type { Endpoints } from './storage-buckets/endpoints.ts';
import { bucketsPart } from './storage-buckets/provide.ts';
import type { StorageBucketManager } from '../storage/storage-bucket-manager.ts';

type StorageListener = (event: StorageEvent) => unknown;

/** Keeps a client as long as there is a handle of its files: they end with it. */
const clientOf = new WeakMap<FileSystem, StorageClient>();

/** A Storage object and the map behind it, which ends with the client. */
interface Area {
  readonly storage: Storage;
  readonly area: ClientArea;
}

/** The client's view of the origin's map, with the changes that others make. */
interface LocalArea extends Area {
  readonly map: ClientMap;
}

/** What a client needs of the map behind its `localStorage`. */
export type ClientMap = MapArea & Pick<MapClient, 'subscribe' | 'transact'>;

function createArea(client: StorageClient, map: MapArea, meter?: Meter): Area {
  const area = new ClientArea(client, map, meter);
  return { area, storage: createStorage(area) };
}

/**
 * One user of an origin's storage: what browsers have one of for each page and worker. Its `storage` events tell what
 * every other client of the origin wrote, in this process or another.
 *
 * https://html.spec.whatwg.org/multipage/webappapis.html#environment-settings-object
 */
export class StorageClient<Sync extends OriginSync | null = OriginSync | null> extends ContextEventTarget<{ storage: StorageEvent }> {
  readonly #bucket: Bucket;
  readonly #url: string;
  #closed = false;
  #id: string | undefined;
  #local: LocalArea | undefined;
  #session: Area | undefined;
  #storage: StorageManager<FileSystemDirectoryHandle> | undefined;
  #locks: LockManager | undefined;
  #indexedDB: IDBFactory | undefined;
  #channels: ClientChannels | undefined;
  #BroadcastChannel: BroadcastChannelConstructor | undefined;
  #caches: CacheStorage | undefined;
  #buckets: ClientBuckets | undefined;
  #fileSystem: FileSystem | undefined;
  #unsubscribe: (() => void) | undefined;
  #onstorage: { readonly handler: StorageListener; readonly bound: StorageListener } | null = null;
  /** One listener for all handlers that are set one after another: it keeps the first one's place in the order. */
  #callHandler: ((event: Event) => unknown) | undefined;

  /** @internal Use `host.origin()` or `host.client()`. */
  constructor(token: typeof internal, bucket: Bucket, url: string) {
    if (token !== internal) illegalConstructor();
    super();
    this.#bucket = bucket;
    this.#url = url;
  }

  /** The origin's serialization, which is the key of its storage. */
  get origin(): string {
    return this.#bucket.origin;
  }

  /** The `url` of `storage` events that this client's writes cause. */
  get url(): string {
    return this.#url;
  }

  /** The client's id in `locks.query()`. https://html.spec.whatwg.org/multipage/webappapis.html#concept-environment-id */
  get id(): string {
    return (this.#id ??= randomUuid());
  }

  /** @internal */
  get host(): object {
    return this.#bucket.host;
  }

  /** Whether it was closed, by itself or with its host. */
  get closed(): boolean {
    return this.#closed || this.#bucket.closed;
  }

  /**
   * The origin's map of strings, shared by all of its clients in all processes.
   * https://html.spec.whatwg.org/multipage/webstorage.html#dom-localstorage
   *
   * @throws HoldfastError closed; root-newer, root-unusable or disk-unsupported when the root cannot be used
   */
  get localStorage(): Storage {
    this.#use();
    return this.#localArea().storage;
  }

  /**
   * Calls `body` and returns its result: what it reads of `localStorage` is as of one moment, and what it writes there is
   * stored as one when it returns, in one record; other clients see all of it or none, and get their events after it.
   * It sees its own writes. If it throws, nothing is stored. If others change meanwhile what it has read, it is called
   * again, so it should do nothing else. It must not be asynchronous. Within another transaction it is a part of that,
   * which can fail alone. Only this client's own `localStorage` takes part. docs/API.md, "Transactions"
   *
   * @throws what `body` throws; TypeError for one that returns a promise
   * @throws DOMException QuotaExceededError when it does not fit, there or at the end
   * @throws HoldfastError closed; conflict, when it was called a thousand times and others were always faster; what the
   * disk fails with: nothing was stored then, unless the message says that it is not known
   */
  transaction<Result>(body: (localStorage: Storage) => Result): Result {
    this.#use();
    return transaction.code.transact(this.#localArea(), body);
  }

  /**
   * This client's own map of strings, in memory, gone with the client.
   * https://html.spec.whatwg.org/multipage/webstorage.html#dom-sessionstorage
   *
   * @throws HoldfastError closed
   */
  get sessionStorage(): Storage {
    this.requireOpen();
    if (this.#session === undefined) {
      this.#session = createArea(this, new SessionMap(this.#bucket.mapQuota, () => this.#noteUse()));
      this.#bucket.note(this);
    }
    return this.#session.storage;
  }

  /** https://storage.spec.whatwg.org/#dom-navigatorstorage-storage */
  get storage(): StorageManager<FileSystemDirectoryHandle> {
    this.requireOpen();
    return (this.#storage ??= new StorageManager(internal, new ClientStorageBucket(this, this.#bucket)));
  }

  /**
   * The origin's locks, in the scope of its storage: all processes and threads of the root.
   * https://w3c.github.io/web-locks/#dom-navigatorlocks-locks
   *
   * @throws HoldfastError closed
   */
  get locks(): LockManager {
    this.requireOpen();
    return (this.#locks ??= createLockManager({
      table: () => this.#lockTable(),
      clientId: this.id,
      isActive: () => !this.closed,
      witness: () => this.#bucket.engine.locksMeter,
    }));
  }

  /**
   * The origin's databases, shared by all processes and threads of the root. https://w3c.github.io/IndexedDB/#factory-interface
   *
   * @throws HoldfastError closed
   */
  get indexedDB(): IDBFactory {
    this.requireOpen();
    if (this.#indexedDB === undefined) {
      this.#indexedDB = indexedDb.code.createFactory(this.#bucket.databases);
      this.#bucket.note(this);
    }
    return this.#indexedDB;
  }

  /**
   * Channels of the origin, in the scope of its storage: all processes and threads of the root. They end with the client.
   * https://html.spec.whatwg.org/#broadcastchannel
   */
  get BroadcastChannel(): BroadcastChannelConstructor {
    return (this.#BroadcastChannel ??= broadcastChannel.code.channelInterface(() => this.channels));
  }

  /**
   * The origin's caches of responses, shared by all processes and threads of the root.
   * https://w3c.github.io/ServiceWorker/#self-caches
   *
   * @throws HoldfastError closed; disk-failed where the code cannot be loaded
   */
  get caches(): CacheStorage {
    this.requireOpen();
    return (this.#caches ??= cachesPart.code.createCacheStorage({ url: this.#url, store: () => this.#cacheStore() }));
  }

  /**
   * The origin's buckets beside its default one, shared by all processes and threads of the root.
   * https://wicg.github.io/storage-buckets/#dom-navigatorstoragebuckets-storagebuckets
   *
   * @throws HoldfastError closed; disk-failed where the code cannot be loaded
   */
  get storageBuckets(): StorageBucketManager<Endpoints> {
    this.requireOpen();
    return this.#namedBuckets.manager;
  }

  get #namedBuckets(): ClientBuckets {
    return (this.#buckets ??= new bucketsPart.code.ClientBuckets(this, this.#bucket));
  }

  /**
   * The origin's place in the order of the host's hub; null where the host has no hub for this origin. docs/SYNC.md
   *
   * @throws HoldfastError closed; root-newer, root-unusable or disk-unsupported when the root cannot be used
   */
  get sync(): Sync {
    this.#use();
    return this.#bucket.sync as Sync;
  }

  /** https://html.spec.whatwg.org/multipage/indices.html#handler-window-onstorage */
  get onstorage(): StorageListener | null {
    return this.#onstorage?.handler ?? null;
  }

  set onstorage(handler: StorageListener | null) {
    if (typeof handler !== 'function') {
      this.#onstorage = null;
      this.removeEventListener('storage', this.#callHandler ?? null);
      return;
    }
    this.#onstorage = { handler, bound: inThisContext(handler.bind(this)) };
    this.addEventListener('storage', (this.#callHandler ??= (event) => this.#onstorage?.bound(event as StorageEvent)));
  }

  /**
   * Ends the client: releases its locks and open files, stops its observers and listeners, forgets its session. What
   * it is asked afterwards is an error. Other clients of the origin go on.
   */
  close(): void {
    void this.end();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  /** @internal Closes, and resolves when operations on files that were under way have ended. */
  async end(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#onstorage = null;
    this.removeAllListeners();
    this.#local?.area.end();
    this.#session?.area.end();
    this.#bucket.keep(this, false);
    if (this.#locks !== undefined) LockManager.end(this.#locks);
    await this.#channels?.end();
    await this.#buckets?.end();
    if (this.#indexedDB !== undefined) await indexedDb.code.endFactory(this.#indexedDB);
    await this.#fileSystem?.close();
  }

  /** @internal The file system as this client sees it. */
  get fileSystem(): FileSystem {
    this.#use();
    if (this.#fileSystem === undefined) {
      this.#fileSystem = this.#bucket.createFileSystem();
      clientOf.set(this.#fileSystem, this);
      this.#bucket.note(this);
    }
    return this.#fileSystem;
  }

  /** @internal The file system of one of the origin's buckets, by the name that its handles bear; else the client's own. */
  fileSystemOf(bucket: unknown): FileSystem {
    return bucket === this.#bucket.name ? this.fileSystem : this.#namedBuckets.fileSystemOf(bucket);
  }

  /** @internal */
  get channels(): ClientChannels {
    this.requireOpen();
    if (this.#channels === undefined) {
      this.#channels = new broadcastChannel.code.ClientChannels(this, this.#bucket);
      this.#bucket.note(this);
    }
    return this.#channels;
  }

  /** @internal */
  channelJournal(): ChannelJournal {
    this.#use();
    return this.#bucket.channelJournal();
  }

  /** @internal Handles and observations that are open. */
  get openFiles(): number {
    return this.#fileSystem?.openCount ?? 0;
  }

  protected override listenersChanged(type: string, count: number): void {
    if (type !== 'storage') return;
    if (count === 0) {
      this.#unsubscribe?.();
      this.#unsubscribe = undefined;
    } else if (this.#unsubscribe === undefined) {
      const { map, storage } = this.#localArea();
      this.#unsubscribe = map.subscribe((change) => broadcast(change, storage, this));
      this.#follow();
    }
    this.#noteUse();
  }

  /** Whoever only listens hears of other regions too. */
  #follow(): void {
    try {
      this.#bucket.open();
    } catch {
      return; // The first use of the root says why.
    }
  }

  /** @internal */
  requireOpen(): void {
    if (this.#closed) throw new HoldfastError('closed', `This client of ${this.origin} was closed.`);
    this.#bucket.requireOpen();
  }

  /** For what reads or writes the disk. */
  #use(): void {
    this.requireOpen();
    this.#bucket.open();
  }

  async #lockTable(): Promise<WebLockTable> {
    const { encryption } = this.#bucket.place;
    if (encryption !== undefined) await encryption.prepare();
    this.#use();
    await this.#bucket.engine.locksReady();
    return this.#bucket.engine.webLocks;
  }

  async #cacheStore(): Promise<CacheStore> {
    this.requireOpen();
    await this.#bucket.engine.ready();
    this.#use();
    return this.#bucket.cacheStore;
  }

  #localArea(): LocalArea {
    if (this.#local === undefined) {
      const map = this.#bucket.mapClient(this.#url);
      this.#local = { map, ...createArea(this, map, this.#bucket.meter) };
    }
    return this.#local;
  }

  /** What only this client has, and somebody may come back to though nobody holds it: as a listener, or by the origin. */
  #noteUse(): void {
    const isRemembered = this.#bucket.client === this && (this.#session?.storage.length ?? 0) > 0;
    const inUse = this.#unsubscribe !== undefined || isRemembered;
    this.#bucket.keep(this, inUse);
  }
}
