import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../journal/disk-error.ts';
import { decodeOrigin, encodeOrigin } from '../names/origin.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { wallClock } from '../../runtime/timers.ts';
import { RegisterMachine } from '../buckets/machine.ts';
import { keysOfNamed, namedBucketsOf, NamedDirectory } from '../buckets/named-directory.ts';
import { isExpired, type BucketEntry } from '../buckets/policies.ts';
import { idOfBucket } from '../buckets/spelling.ts';
import type { BucketPlace, PlaceKeys } from '../place.ts';
import { readNewest } from '../survey/read-newest.ts';
import { BucketDirectory } from './bucket-directory.ts';
import { isEncrypted } from './encrypted.ts';
import { rootReadFailure } from './failure.ts';
import { Root } from './root.ts';

/** An origin of a root, and where it is. */
export interface OriginPlace {
  readonly origin: string;
  readonly path: string;
}

/** The origins of a root, in no order; those that come or go meanwhile may be there or not. @throws HoldfastError */
export function* originsOf(root: Root): Generator<OriginPlace, void> {
  let directory: fs.Dir;
  try {
    directory = fs.opendirSync(root.origins, { bufferSize: 256 });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw rootReadFailure(root.path, error);
  }
  try {
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      const place = path.join(root.origins, entry.name);
      const origin = entry.isDirectory() ? (decodeOrigin(entry.name) ?? writtenOrigin(place)) : null;
      if (origin !== null && fs.existsSync(path.join(place, DEFAULT, 'locks'))) yield { origin, path: place };
    }
  } finally {
    directory.closeSync();
  }
}

/** What is too long to be read back from the name of its directory. */
function writtenOrigin(place: string): string | null {
  try {
    const { origin } = JSON.parse(fs.readFileSync(path.join(place, 'origin.json'), 'utf8')) as { origin?: unknown };
    return typeof origin === 'string' && encodeOrigin(origin) === path.basename(place) ? origin : null;
  } catch {
    return null;
  }
}

/** A bucket of an origin, and where it is. */
export interface BucketOfOrigin {
  readonly name: string;
  readonly path: string;
  /** What the register says of it; null: it is the default one, whatever others are called. */
  readonly entry: BucketEntry | null;
  /** Where it is encrypted, and there is a way to its keys. */
  readonly keys?: PlaceKeys | undefined;
}

/**
 * The buckets of an origin: the default one, and those of its register that are not expired. `keys`: of its default
 * one, where it is encrypted; without them the others have the names of their directories.
 *
 * @throws HoldfastError
 */
export function bucketsOf(origin: string, keys?: PlaceKeys): BucketOfOrigin[] {
  const place = path.join(origin, DEFAULT);
  if (!fs.existsSync(path.join(place, 'locks'))) return [];
  const entries = entriesOf(place, keys).filter((entry) => !isExpired(entry, wallClock()));
  const named = entries.map((entry) => ({ name: entry.name, path: path.join(namedBucketsOf(place), entry.id), entry, keys: keysOfNamed(keys, entry.id) }));
  return [{ name: DEFAULT, path: place, entry: null, keys }, ...named.filter((bucket) => fs.existsSync(bucket.path))];
}

function entriesOf(place: string, keys: PlaceKeys | undefined): readonly BucketEntry[] {
  try {
    return readNewest(path.join(place, 'register'), () => new RegisterMachine(), keys?.journal('register') ?? null)?.entries ?? [];
  } catch (error) {
    if (!(error instanceof HoldfastError) || !error.code.startsWith('key-')) throw error;
    return fs.readdirSync(namedBucketsOf(place)).filter((name) => idOfBucket(name) === name).map(unread);
  }
}

/** What can be said of a bucket by its directory alone. */
function unread(id: string): BucketEntry {
  return { id, name: id, persisted: false, durability: 'relaxed', quota: null, expires: null };
}

/** The keys of an origin's default bucket, where it is encrypted, and the root has a way to keys. */
export function keysOf(root: Root, origin: string): PlaceKeys | undefined {
  return root.vaults !== undefined && isEncrypted(path.join(root.origins, encodeOrigin(origin))) ? root.vaults.of(origin).place(DEFAULT) : undefined;
}

const DEFAULT = 'default';

/** The place of a bucket, for who only reads it. */
export function placeOf(root: Root, origin: string, { name, path: at, entry, keys }: BucketOfOrigin): BucketPlace {
  // Of an origin that is not encrypted, whatever keys the root has.
  if (entry === null) return new BucketDirectory(keys === undefined && root.vaults !== undefined ? new Root(root.path, root.durability, root.shared) : root, origin, DEFAULT);
  return new NamedDirectory({ root, path: at, name, durability: entry.durability, encryption: keys });
}
