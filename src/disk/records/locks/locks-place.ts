import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { ensureDirectory, isLink } from '../../directories.ts';
import type { BucketPlace, PlaceKeys } from '../../place.ts';
import type { Durability } from '../../root/durable.ts';
import { addJournal } from '../../root/late-part.ts';

/** Where a bucket's databases are, as a place of locks: `locks/` and `wake/` in it are theirs. */
export function locksPlace(bucket: BucketPlace, durability: Durability): BucketPlace {
  const directory = path.join(bucket.path, 'indexeddb');
  const encryption = bucket.encryption && within(bucket.encryption, 'indexeddb');
  const lost = (): void => bucket.lost?.();
  const ensureOthers = (): void => {
    bucket.ensure();
    requirePlain(directory);
    ensureDirectory(path.join(directory, 'wake'));
  };
  const ensure = (): void => {
    ensureOthers();
    if (fs.existsSync(path.join(directory, 'locks'))) return;
    addJournal({ path: directory, ensure: ensureOthers, lost, encryption }, { name: 'locks', isStrict: durability === 'strict', snapshot: () => [] });
  };
  return { path: directory, ensure, lost, encryption, ...(bucket.space && { space: bucket.space }) };
}

/** The keys of a bucket, for what is in one of its directories. */
function within(keys: PlaceKeys, directory: string): PlaceKeys {
  return {
    get keys() {
      return keys.keys;
    },
    sealing: keys.sealing,
    descriptions: keys.descriptions,
    database: (name) => keys.database(name),
    journal: (name) => keys.journal(`${directory}/${name}`),
    beside: (bucket) => within(keys.beside(bucket), directory),
    prepare: () => keys.prepare(),
  };
}

/** What is looked at or made in it must be in the bucket. @throws HoldfastError `root-unusable` */
export function requirePlain(directory: string): void {
  if (isLink(directory)) throw new HoldfastError('root-unusable', `${directory} is a symbolic link, which is not followed.`);
}
