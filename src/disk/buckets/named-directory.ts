import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Space } from '../journal/space.ts';
import type { BucketPlace, PlaceKeys } from '../place.ts';
import { syncBucket } from '../root/bucket-directory.ts';
import type { Durability } from '../root/durable.ts';
import { rootReadFailure } from '../root/failure.ts';
import type { Root } from '../root/root.ts';

export interface NamedDirectoryOptions {
  readonly root: Root;
  readonly path: string;
  /** The bucket's name, for messages. */
  readonly name: string;
  readonly durability: Durability;
  /** Undefined: it is not encrypted. */
  readonly encryption?: PlaceKeys | undefined;
}

export function bucketDeleted(name: string): HoldfastError {
  return new HoldfastError('bucket-deleted', `The bucket '${name}' was deleted or is expired.`);
}

/**
 * The directory of a named bucket. It was complete before anybody knew of the bucket, and is made by nobody else: what
 * is gone stays gone.
 */
export class NamedDirectory implements BucketPlace {
  readonly path: string;
  readonly encryption: PlaceKeys | undefined;
  readonly #options: NamedDirectoryOptions;
  #settled = false;
  #isPlain = false;

  constructor(options: NamedDirectoryOptions) {
    this.path = options.path;
    this.encryption = options.encryption;
    this.#options = options;
  }

  get space(): Space {
    return this.#options.root.space;
  }

  /** @throws HoldfastError bucket-deleted; root-unusable, disk-failed */
  ensure(): void {
    if (!isThere(this.path, this.#options.root)) throw bucketDeleted(this.#options.name);
    if (this.#settled) return;
    // It may have been made by a realm that does not sync.
    if (this.#options.durability === 'strict') syncBucket(this.path, this.#options.root.path);
    this.#settled = true;
  }

  lost(): void {
    this.#settled = this.#isPlain = false;
  }

  /** @throws HoldfastError root-unusable for a link */
  requirePlain(): void {
    if (!this.#isPlain) this.#isPlain = isThere(this.path, this.#options.root);
  }
}

/**
 * Whether a bucket's directory is there. What keeps from looking is no proof that it is not.
 *
 * @throws HoldfastError root-unusable for a link
 */
export function isThere(directory: string, root: Root): boolean {
  try {
    const found = [path.dirname(directory), directory].map((each) => fs.lstatSync(each, { throwIfNoEntry: false }));
    if (found.some((stats) => stats?.isSymbolicLink() === true)) throw new HoldfastError('root-unusable', `${directory} is behind a symbolic link, which is not followed.`);
    return found[1]?.isDirectory() === true;
  } catch (error) {
    throw rootReadFailure(root.path, error);
  }
}

/** The keys of a named bucket, by its id and those of any bucket of the origin. */
export function keysOfNamed(keys: PlaceKeys | undefined, id: string): PlaceKeys | undefined {
  return keys?.beside(`buckets/${id}`);
}

/** What holds the directories of the named buckets of an origin: beside that of its default one. */
export function namedBucketsOf(defaultBucket: string): string {
  return path.join(path.dirname(defaultBucket), 'buckets');
}
