import { bucketDeleted, keysOfNamed, NamedDirectory } from '../../disk/buckets/named-directory.ts';
import type { BucketEntry } from '../../disk/buckets/policies.ts';
import type { Durability } from '../../disk/root/durable.ts';
import type { BucketAllowance } from '../bucket-engine.ts';
import { Bucket, type BucketOwner } from '../bucket.ts';
import type { NamedBuckets } from './named-buckets.ts';

/**
 * A named bucket, as all of its clients share it in this realm. It has neither map nor channels, and is not synced. Its
 * name here is the one that its handles bear, which another bucket of the same name has not.
 * https://wicg.github.io/storage-buckets/#storage-bucket
 */
export class NamedBucket extends Bucket {
  readonly #home: Bucket;
  readonly #named: NamedBuckets;
  readonly #entry: BucketEntry;
  readonly #durability: Durability;
  readonly #allowance: BucketAllowance;
  #isGone = false;

  constructor(home: Bucket, named: NamedBuckets, owner: BucketOwner, entry: BucketEntry) {
    const { id, name } = entry;
    const { root } = owner;
    const durability = root.durability === 'strict' ? 'strict' : entry.durability;
    const encryption = keysOfNamed(home.place.encryption, id);
    super(owner, home.origin, new NamedDirectory({ root, path: named.register.pathOf(id), name, durability, encryption }), id);
    this.#home = home;
    this.#named = named;
    this.#entry = entry;
    this.#durability = durability;
    this.#allowance = allowanceOf(entry, home);
  }

  override get durability(): Durability {
    return this.#durability;
  }

  get defaultPath(): string {
    return this.#home.place.path;
  }

  override get allowance(): BucketAllowance {
    return this.#allowance;
  }

  /** Of its home. */
  override get named(): NamedBuckets {
    return this.#named;
  }

  /** @throws HoldfastError closed; bucket-deleted */
  override requireOpen(): void {
    if (this.#isGone) throw bucketDeleted(this.#entry.name);
    super.requireOpen();
  }

  /** @throws HoldfastError bucket-deleted */
  override requireThere(): void {
    if (this.#isGone || this.#named.register.find(this.name) === undefined) throw bucketDeleted(this.#entry.name);
  }

  /** To be called when it was deleted: whatever uses it fails from now on. */
  end(): void {
    this.#isGone = true;
    // What it would still write has no place any more.
    this.close().catch(() => undefined);
  }
}

/** Its own quota, and that of the origin, which its buckets share. */
function allowanceOf({ quota }: BucketEntry, home: Bucket): BucketAllowance {
  const { origin } = home.allowance;
  if (origin === undefined) return { total: quota ?? undefined, aside: 0, origin };
  return { total: Math.min(quota ?? origin, origin), aside: home.mapQuota, origin };
}
