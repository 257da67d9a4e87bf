import type { DatabaseLocks } from '../../disk/records/database-locks.ts';
import type { RecordDatabases } from '../../disk/records/record-database.ts';
import type { BucketPlace } from '../../disk/place.ts';
import type { Durability } from '../../disk/root/durable.ts';
import type { Root } from '../../disk/root/root.ts';
import type { PlatformObjects } from '../../disk/values/platform-objects.ts';
import type { FileSystem } from '../../file-system/file-system.ts';
import type { IndexedDBPlace } from '../../indexed-db/index.ts';
import { outsideContexts } from '../../runtime/callback-context.ts';
import { Code } from '../../runtime/code.ts';
import { checkpoints } from '../../runtime/more-channels.ts';
import type { BucketEngine } from '../bucket-engine.ts';
import type { Meter } from '../meter.ts';
import { handleObjects } from '../platform-objects.ts';
import type * as RecordCode from '../record-code.ts';

const recordCode = new Code<typeof RecordCode>(() => import('../record-code.ts'));

/** What the databases of a bucket need of it. */
export interface DatabasesBucket {
  readonly root: Root;
  readonly place: BucketPlace;
  readonly durability: Durability;
  readonly engine: BucketEngine;
  readonly meter: Meter;
  open(): void;
  createFileSystem(): FileSystem;
  readonly name: string;
  /** The origin's buckets, by the names that their handles bear; undefined for one that is gone. */
  readonly named: { find(name: string): { createFileSystem(): FileSystem } | undefined };
}

/** The locks and files of a bucket's databases, once they run. */
interface Running {
  readonly locks: InstanceType<typeof RecordCode.BucketLocks>;
  readonly databases: InstanceType<typeof RecordCode.SqliteDatabases>;
}

/**
 * The databases of a bucket in this realm, for all of its clients. Nothing is loaded or opened before the first is asked
 * for.
 */
export class BucketDatabases implements IndexedDBPlace {
  readonly #bucket: DatabasesBucket;
  readonly platform: PlatformObjects;
  /** Of the buckets whose handles were read, by their names. */
  readonly #fileSystems = new Map<string, FileSystem>();
  #running: Running | undefined;

  constructor(bucket: DatabasesBucket) {
    this.#bucket = bucket;
    // Handles that are read belong to nobody in particular, and end with the bucket.
    this.platform = handleObjects((name) => this.#fileSystemOf(name));
  }

  #fileSystemOf(name: string): FileSystem {
    const known = this.#fileSystems.get(name);
    if (known !== undefined) return known;
    const owner = (name === this.#bucket.name ? null : this.#bucket.named.find(name)) ?? this.#bucket;
    const made = owner.createFileSystem();
    this.#fileSystems.set(made.bucket, made);
    return made;
  }

  /** @throws HoldfastError closed; root-newer, root-unusable or disk-unsupported; disk-failed; what keys are wanting */
  async ready(): Promise<void> {
    const { encryption } = this.#bucket.place;
    if (encryption !== undefined) await encryption.prepare();
    this.#bucket.open();
    const [code] = await Promise.all([recordCode.load(), this.#bucket.engine.ready()]);
    this.#bucket.open();
    this.#running ??= this.#start(code);
  }

  get databases(): RecordDatabases {
    return this.#ready.databases;
  }

  get locks(): DatabaseLocks {
    return this.#ready.locks;
  }

  get #ready(): Running {
    if (this.#running === undefined) throw new Error('the databases were asked for before they were ready');
    return this.#running;
  }

  #start({ BucketLocks, SqliteDatabases, categories }: typeof RecordCode): Running {
    const { root, place, engine, meter, durability } = this.#bucket;
    const { shared } = root;
    const locks = new BucketLocks(place, { durability, shared, detach: outsideContexts, onCompaction: meter.compacted });
    const databases = new SqliteDatabases({
      bucket: place,
      get foldsNames() {
        return root.open()?.foldsNames ?? false;
      },
      durability,
      ledger: engine.account.ledger(categories.indexedDB),
      holds: locks,
      locks,
      onCheckpoint: (checkpoint) => {
        meter.counts.journals.checkpoints += 1;
        if (checkpoints.hasSubscribers) meter.tell(checkpoints, checkpoint);
      },
      refusal: shared === undefined ? null : 'IndexedDB needs memory that processes share, which a network disk has not.',
    });
    return { locks, databases };
  }

  /** Ends what runs; the clients have closed their connections. */
  async close(): Promise<void> {
    await Promise.all([...this.#fileSystems.values()].map((system) => system.close()));
    await this.#running?.databases.close();
    await this.#running?.locks.close();
  }
}
