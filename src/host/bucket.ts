import fs from 'node:fs';
import path from 'node:path';
import { randomSession } from '../disk/map/map-client.ts';
import type { MapClient } from '../disk/map/map-client.ts';
import { MapJournal } from '../disk/map/map-journal.ts';
import { DEFAULT_QUOTA } from '../disk/map/map-state.ts';
import { BucketDirectory } from '../disk/root/bucket-directory.ts';
import type { Root } from '../disk/root/root.ts';
import type { FileSystem } from '../file-system/file-system.ts';
import { behaviour } from '../file-system/loading.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { isRefusedByRuntime } from '../runtime/permission.ts';
import type { UsageDetails } from '../storage/storage-manager.ts';
import { internal } from '../webidl/interface.ts';
import { BucketEngine } from './bucket-engine.ts';
import { outsideContexts } from './context.ts';
import type { SyncSettings } from './options.ts';
import { OriginSync } from './origin-sync.ts';
import { firstReplicate } from './replicate.ts';
import type { RunningSync } from './running-sync.ts';
import type { StorageClient } from './storage-client.ts';

/** What a bucket needs of its host. */
export interface BucketOwner {
  readonly host: object;
  readonly root: Root;
  /** The quota that the user chose for an origin. */
  quotaOf(origin: string): number | undefined;
  readonly sync: SyncSettings | undefined;
  /** Keeps the bucket's objects alive while `inUse`; otherwise they may go as soon as nobody holds them. */
  keep(bucket: Bucket, inUse: boolean): void;
}

/** Of the disk below a directory, which need not exist yet; infinite where nobody may ask. */
async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await fs.promises.statfs(directory);
    return bavail * bsize;
  } catch (error) {
    const parent = path.dirname(directory);
    if (parent !== directory && !isRefusedByRuntime(error)) return freeBytes(parent);
    return Infinity;
  }
}

/**
 * What all clients of an origin's default bucket share in this realm: its map, its locks, its files.
 * https://storage.spec.whatwg.org/#storage-bucket
 *
 * - Nothing is opened before it is used, and nothing is created before it is written to.
 * - The host holds it weakly, but while something of it is in use; what users hold leads here.
 */
export class Bucket {
  readonly origin: string;
  readonly name = 'default';
  readonly place: BucketDirectory;
  readonly engine: BucketEngine;
  /** The quota of its maps in bytes of UTF-16. */
  readonly mapQuota: number;
  readonly #owner: BucketOwner;
  readonly #quota: number | undefined;
  /** Clients with something that only they have. */
  readonly #inUse = new Set<StorageClient>();
  /** Clients that have a file system. */
  readonly #withFiles = new Set<StorageClient>();
  #map: MapJournal | undefined;
  readonly #syncSettings: SyncSettings | undefined;
  #sync: OriginSync | undefined;
  #running: Promise<RunningSync> | undefined;
  /** The same once it runs. */
  #runningNow: RunningSync | undefined;
  #closed = false;
  /** The client that `host.origin()` gives. */
  client: StorageClient | undefined;

  constructor(owner: BucketOwner, origin: string) {
    this.origin = origin;
    this.place = new BucketDirectory(owner.root, origin, this.name);
    this.engine = new BucketEngine(this, { root: owner.root, bucket: this.place });
    this.#owner = owner;
    this.#quota = owner.quotaOf(origin);
    this.mapQuota = this.#quota ?? DEFAULT_QUOTA;
    this.#syncSettings = owner.sync?.includes(origin) === true ? owner.sync : undefined;
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
    if (this.#syncSettings !== undefined && this.#running === undefined) void this.#startSync();
  }

  /** The origin's place in a hub's order; null where the host has none for it. */
  get sync(): OriginSync | null {
    const settings = this.#syncSettings;
    if (settings === undefined) return null;
    this.open();
    return (this.#sync ??= new OriginSync(internal, {
      origin: this.origin,
      region: settings.region,
      map: this.#mapJournal(),
      writer: this.mapClient(`${this.origin}/`),
      running: () => this.#startSync(),
      files: () => this.#runningNow?.files?.journal ?? null,
    }));
  }

  /** Nothing local waits for it; whatever fails is tried again by the next use. */
  #startSync(): Promise<RunningSync> {
    if (this.#running !== undefined) return this.#running;
    const starting = outsideContexts(() => this.#runSync());
    this.#running = starting;
    starting.catch(() => (this.#running = undefined));
    return starting;
  }

  async #runSync(): Promise<RunningSync> {
    const settings = this.#syncSettings;
    if (settings === undefined) throw new HoldfastError('bad-option', `No hub was given for ${this.origin}.`);
    const [{ RunningSync }] = await Promise.all([import('./running-sync.ts'), this.engine.ready()]);
    this.requireOpen();
    this.engine.pinned = true;
    this.#owner.keep(this, true);
    const { root } = this.#owner;
    this.#runningNow = new RunningSync({
      origin: this.origin,
      settings,
      place: this.place,
      map: this.#mapJournal().replicaJournal(),
      locks: this.engine.locks,
      tree: this.engine.tree,
      durability: root.durability,
      onConflict: (conflict) => this.#sync?.announceConflict(conflict),
    });
    return this.#runningNow;
  }

  /** The map as one more client has it. */
  mapClient(url: string): MapClient {
    return this.#mapJournal().client(randomSession(), url);
  }

  #mapJournal(): MapJournal {
    const settings = this.#syncSettings;
    return (this.#map ??= new MapJournal(this.place, {
      url: `${this.origin}/`,
      durability: this.#owner.root.durability,
      shared: this.#owner.root.shared,
      ...(this.#quota !== undefined && { quota: this.#quota }),
      ...(settings !== undefined && { replicate: () => firstReplicate(settings.region) }),
    }));
  }

  /** A client's own view of the files. What their operations need is loaded when the first handle is used. */
  createFileSystem(): FileSystem {
    const { engine } = this;
    return new (behaviour().FileSystem)({
      origin: this.origin,
      bucket: this.name,
      place: this.place,
      load: async () => (await engine.ready()).algorithms,
      get tree() {
        return engine.tree;
      },
      get locks() {
        return engine.locks;
      },
      salt: () => this.#owner.root.ensure().salt,
      ...(this.#syncsFiles && { fetch: async (file) => (await this.#startSync()).files?.fetch(file) }),
    });
  }

  get #syncsFiles(): boolean {
    return this.#syncSettings !== undefined && this.#syncSettings.files !== 'off';
  }

  /** Bytes in use now. */
  async usage(): Promise<UsageDetails> {
    await this.engine.ready();
    return { fileSystem: await this.engine.tree.usage(), localStorage: this.#mapJournal().current().bytes };
  }

  /** Bytes that may be in use: what the user chose, or else what is in use and what the disk is known to have left. */
  async quota(usage: number): Promise<number> {
    return this.#quota ?? Math.min(usage + (await freeBytes(this.#owner.root.path)), Number.MAX_SAFE_INTEGER);
  }

  /** Notes whether a client has something that would be lost if nobody held the client. */
  keep(client: StorageClient, inUse: boolean): void {
    if (inUse) this.#inUse.add(client);
    else this.#inUse.delete(client);
    this.#owner.keep(this, this.#inUse.size > 0 || this.#running !== undefined);
  }

  /** Notes a client whose open files must end with the host. */
  noteFiles(client: StorageClient): void {
    this.#withFiles.add(client);
  }

  forget(client: StorageClient): void {
    this.#withFiles.delete(client);
    this.keep(client, false);
  }


  async #endSync(): Promise<void> {
    const running = await this.#running?.catch(() => undefined);
    await running?.close();
  }

  /** Ends all clients and closes what is open; resolves when the operations that were under way have ended. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const clients = new Set([...this.#inUse, ...this.#withFiles]);
    if (this.client !== undefined) clients.add(this.client);
    this.#sync?.end();
    await Promise.all([...clients].map((client) => client.end()));
    await this.#endSync();
    this.#map?.close();
    await this.engine.close();
  }
}
