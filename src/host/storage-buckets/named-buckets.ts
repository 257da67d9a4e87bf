import { BucketRegister } from '../../disk/buckets/register.ts';
import type { BucketEntry } from '../../disk/buckets/policies.ts';
import { outsideContexts } from '../../runtime/callback-context.ts';
import type { Bucket, BucketOwner } from '../bucket.ts';
import { WeakMapByName } from '../weak-map-by-name.ts';
import { NamedBucket } from './named-bucket.ts';

/**
 * The named buckets of an origin that this realm has to do with. Each is held as its home is: weakly, but while
 * something of it is in use; what users hold leads here.
 */
export class NamedBuckets {
  readonly register: BucketRegister;
  /** The origin's default bucket. */
  readonly #home: Bucket;
  readonly #owner: BucketOwner;
  readonly #buckets = new WeakMapByName<NamedBucket>();
  /** Ends the watch for a bucket that nobody holds any more. */
  readonly #unheld = new FinalizationRegistry<() => void>((unwatch) => unwatch());

  /** Does no I/O. */
  constructor(home: Bucket, owner: BucketOwner) {
    this.#home = home;
    this.#owner = owner;
    const { root } = owner;
    this.register = new BucketRegister(root, home.place, { shared: root.shared, onCompaction: home.meter.compacted, detach: outsideContexts });
  }

  /** The bucket of an entry that is there. */
  of(entry: BucketEntry): Bucket {
    const known = this.#buckets.get(entry.id);
    if (known !== undefined && !known.closed) return known;
    const bucket = new NamedBucket(this.#home, this, this.#owner, entry);
    this.#buckets.set(entry.id, bucket);
    // The register must not hold what it watches for.
    const reference = new WeakRef(bucket);
    this.#unheld.register(bucket, this.register.watch(entry.id, () => reference.deref()?.end()));
    return bucket;
  }

  /** A bucket of the origin by the name that its handles bear; undefined once it is gone. @throws HoldfastError */
  find(id: string): Bucket | undefined {
    if (id === this.#home.name) return this.#home;
    const entry = this.register.find(id);
    return entry && this.of(entry);
  }

  /** Those that are still alive. */
  get open(): Bucket[] {
    return [...this.#buckets.values()].filter(({ closed }) => !closed);
  }

  /** Resolves when all have ended. */
  async close(): Promise<void> {
    await Promise.all(this.open.map((bucket) => bucket.close()));
    await this.register.close();
  }
}
