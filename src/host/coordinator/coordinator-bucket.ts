import type { LiveStorage, TurnMap } from '../../coordinator/store.ts';
import type { Hold } from '../../coordinator/store.ts';
import type { BucketPlace } from '../../disk/place.ts';
import type { FileSystem } from '../../file-system/file-system.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { internal } from '../../webidl/interface.ts';
import { Bucket } from '../bucket.ts';
import type { BucketOwner } from '../bucket.ts';
import { StorageClient } from '../storage-client.ts';
import type { ClientMap } from '../storage-client.ts';

/** The storage of one live coordinator: its own map, and a bucket for the rest. */
export class CoordinatorBucket extends Bucket {
  readonly #turnMap: TurnMap;
  readonly #hold: Hold;

  constructor(owner: BucketOwner, origin: string, place: BucketPlace, map: TurnMap, hold: Hold) {
    // It is not the origin's own, which a hub may order.
    super(owner, origin, place, 'coordinator');
    this.#turnMap = map;
    this.#hold = hold;
  }

  /** Those of the origin are not the coordinator's. */
  override get named(): never {
    throw new HoldfastError('bad-option', 'A coordinator has one bucket, and no named ones: coordinators of other names are what it can have more of.');
  }

  override mapClient(): ClientMap {
    return this.#turnMap;
  }

  override holding<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#hold(work);
  }

  /** What its handles do holds the coordinator's gate. */
  override createFileSystem(): FileSystem {
    const system = super.createFileSystem();
    const perform = system.perform.bind(system);
    const hold = this.#hold;
    system.perform = (method) => hold(() => perform(method));
    return system;
  }
}

/** The same, as an instance uses it. */
class OpenStorage implements LiveStorage<StorageClient> {
  readonly client: StorageClient;
  readonly #bucket: CoordinatorBucket;

  constructor(bucket: CoordinatorBucket) {
    this.#bucket = bucket;
    this.client = new StorageClient(internal, bucket, `${bucket.origin}/`);
  }

  end(): void {
    void this.#bucket.close().then(() => this.client.end());
  }
}

/** Opens it, without I/O. */
export function openStorage(owner: BucketOwner, origin: string, place: BucketPlace, map: TurnMap, hold: Hold): LiveStorage<StorageClient> {
  return new OpenStorage(new CoordinatorBucket(owner, origin, place, map, hold));
}
