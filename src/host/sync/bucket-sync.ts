import type { Locator } from '../../disk/locator.ts';
import type { ChannelJournal } from '../../disk/channels/channel-journal.ts';
import type { MapJournal } from '../../disk/map/map-journal.ts';
import type { MapClient } from '../../disk/map/map-client.ts';
import type { BucketPlace } from '../../disk/place.ts';
import type { Durability } from '../../disk/root/durable.ts';
import { internal } from '../../webidl/interface.ts';
import { Code } from '../../runtime/code.ts';
import type { BucketEngine } from '../bucket-engine.ts';
import { outsideContexts } from '../../runtime/callback-context.ts';
import type { Meter } from '../meter.ts';
import type { SyncSettings } from './options.ts';
import { OriginSync } from './origin-sync.ts';
import { firstReplicate } from './replicate.ts';
import type * as Sealed from '../../sync/sealed/sealed-connection.ts';
import type * as Running from './running-sync.ts';
import type { RunningSync } from './running-sync.ts';

const code = new Code<typeof Running>(() => import('./running-sync.ts'));
const sealedCode = new Code<typeof Sealed>(() => import('../../sync/sealed/sealed-connection.ts'));

/** What of a bucket is kept in a hub's order. */
export interface SyncedBucket {
  readonly origin: string;
  readonly place: BucketPlace;
  readonly durability: Durability;
  readonly engine: BucketEngine;
  readonly meter: Meter;
  map(): MapJournal;
  mapClient(url: string): MapClient;
  channelJournal(): ChannelJournal;
  /** @throws HoldfastError closed */
  requireOpen(): void;
  /** From now on the bucket is in use, whoever holds it. */
  keep(): void;
}

/**
 * A bucket's place in the order of a hub. It starts with the bucket's first use; nothing local waits for it. While it
 * runs the bucket's engine does, and the host holds the bucket: what other regions write comes to this disk.
 */
export class BucketSync {
  readonly #bucket: SyncedBucket;
  readonly #settings: SyncSettings;
  #surface: OriginSync | undefined;
  #starting: Promise<RunningSync> | undefined;
  #running: RunningSync | undefined;

  constructor(bucket: SyncedBucket, settings: SyncSettings) {
    this.#bucket = bucket;
    this.#settings = settings;
  }

  /** What clients see of it. */
  get surface(): OriginSync {
    const { origin } = this.#bucket;
    return (this.#surface ??= new OriginSync(internal, {
      origin,
      region: this.#settings.region,
      map: this.#bucket.map(),
      writer: this.#bucket.mapClient(`${origin}/`),
      running: () => this.start(),
      files: () => this.#running?.files?.journal ?? null,
      problems: () => (this.#running === undefined ? [] : [this.#running.problem, this.#running.discord, this.#running.filesProblem, this.#running.channelsProblem]),
    }));
  }

  /** Whatever fails is tried again by the next use. */
  start(): Promise<RunningSync> {
    if (this.#starting !== undefined) return this.#starting;
    const starting = outsideContexts(() => this.#start());
    this.#starting = starting;
    starting.catch(() => (this.#starting = undefined));
    return starting;
  }

  async #start(): Promise<RunningSync> {
    const { origin, place, durability, engine, meter } = this.#bucket;
    const sealed = place.encryption === undefined ? undefined : sealedCode.load();
    const [{ RunningSync }] = await Promise.all([code.load(), engine.ready(), sealed, place.encryption?.prepare()]);
    this.#bucket.requireOpen();
    engine.pinned = true;
    this.#bucket.keep();
    this.#running = new RunningSync({
      origin,
      settings: this.#settings,
      sealed: await sealed,
      place,
      map: this.#bucket.map().replicaJournal(),
      channels: this.broadcasts ? this.#bucket.channelJournal().span : null,
      locks: engine.locks,
      tree: engine.tree,
      durability,
      meter,
      onConflict: (conflict) => this.#surface?.announceConflict(conflict),
      onFailure: () => this.#surface?.announceProblem(),
    });
    return this.#running;
  }

  /** What the map's journal says before this realm's first write. */
  readonly replicate = (): Uint8Array => firstReplicate(this.#settings.region);

  /** Brings the content of a file that another region wrote onto this disk; undefined where files are not synced. */
  get fetch(): ((file: Locator) => Promise<void>) | undefined {
    if (this.#settings.files === 'off') return undefined;
    return async (file) => {
      const { files } = await this.start();
      await files?.fetch(file);
    };
  }

  /** Whether its channels reach all regions. */
  get broadcasts(): boolean {
    return this.#settings.broadcasts(this.#bucket.origin);
  }

  /** Whether it runs, or is about to. */
  get isRunning(): boolean {
    return this.#starting !== undefined;
  }

  /** Resolves when this process has ceased to speak with the hub for the root. */
  async end(): Promise<void> {
    this.#surface?.end();
    const running = await this.#starting?.catch(() => undefined);
    await running?.close();
  }
}
