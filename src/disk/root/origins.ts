import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../journal/disk-error.ts';
import { decodeOrigin, encodeOrigin } from '../names/origin.ts';
import { wallClock } from '../../runtime/timers.ts';
import { RegisterMachine } from '../buckets/machine.ts';
import { namedBucketsOf, NamedDirectory } from '../buckets/named-directory.ts';
import { isExpired, type BucketEntry } from '../buckets/policies.ts';
import type { BucketPlace } from '../place.ts';
import { readNewest } from '../survey/read-newest.ts';
import { BucketDirectory } from './bucket-directory.ts';
import { rootReadFailure } from './failure.ts';
import type { Root } from './root.ts';

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
}

/** The buckets of an origin: the default one, and those of its register that are not expired. @throws HoldfastError */
export function bucketsOf(origin: string): BucketOfOrigin[] {
  const place = path.join(origin, DEFAULT);
  if (!fs.existsSync(path.join(place, 'locks'))) return [];
  const register = readNewest(path.join(place, 'register'), () => new RegisterMachine());
  const entries = (register?.entries ?? []).filter((entry) => !isExpired(entry, wallClock()));
  const named = entries.map((entry) => ({ name: entry.name, path: path.join(namedBucketsOf(place), entry.id), entry }));
  return [{ name: DEFAULT, path: place, entry: null }, ...named.filter((bucket) => fs.existsSync(bucket.path))];
}

const DEFAULT = 'default';

/** The place of a bucket, for who only reads it. */
export function placeOf(root: Root, origin: string, { name, path: at, entry }: BucketOfOrigin): BucketPlace {
  if (entry === null) return new BucketDirectory(root, origin, DEFAULT);
  return new NamedDirectory({ root, path: at, name, durability: entry.durability });
}
