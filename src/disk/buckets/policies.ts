import type { Durability } from '../root/durable.ts';

/** What the register says of a bucket. https://wicg.github.io/storage-buckets/#storage-bucket */
export interface BucketPolicies {
  readonly persisted: boolean;
  readonly durability: Durability;
  /** Bytes that it may take; null: what its origin may. */
  readonly quota: number | null;
  /** When it is gone, in milliseconds since 1970; null: never by itself. */
  readonly expires: number | null;
}

/** One incarnation of a bucket: a bucket that was deleted and made again under its name is another one. */
export interface BucketEntry extends BucketPolicies {
  /** The name of its directory; never given to another one. */
  readonly id: string;
  readonly name: string;
}

/** Whether it is gone as of a moment, in milliseconds since 1970. */
export function isExpired({ expires }: Pick<BucketPolicies, 'expires'>, now: number): boolean {
  return expires !== null && expires <= now;
}
