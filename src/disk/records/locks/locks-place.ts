import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { randomUuid } from '../../../runtime/random.ts';
import { ensureDirectory, isLink } from '../../directories.ts';
import { diskError, systemCode } from '../../journal/disk-error.ts';
import { Journal } from '../../journal/journal.ts';
import type { BucketPlace } from '../../place.ts';
import { syncPlace, syncTree, type Durability } from '../../root/durable.ts';

/** The journal while it is being made: no database is spelled so. */
const DRAFT = '.new-locks-';

/** Where a bucket's databases are, as a place of locks: `locks/` and `wake/` in it are theirs. */
export function locksPlace(bucket: BucketPlace, durability: Durability): BucketPlace {
  const directory = path.join(bucket.path, 'indexeddb');
  const ensure = (): void => {
    bucket.ensure();
    requirePlain(directory);
    ensureDirectory(path.join(directory, 'wake'));
    if (!fs.existsSync(path.join(directory, 'locks'))) makeLocks(directory, durability === 'strict');
  };
  return { path: directory, ensure, lost: () => bucket.lost?.(), ...(bucket.space && { space: bucket.space }) };
}

/** What is looked at or made in it must be in the bucket. @throws HoldfastError `root-unusable` */
export function requirePlain(directory: string): void {
  if (isLink(directory)) throw new HoldfastError('root-unusable', `${directory} is a symbolic link, which is not followed.`);
}

/** Complete when it appears in its place; another process may be first. */
function makeLocks(directory: string, isStrict: boolean): void {
  const draft = path.join(directory, `${DRAFT}${randomUuid()}`);
  try {
    Journal.create(draft);
    if (isStrict) syncTree(draft);
    fs.renameSync(draft, path.join(directory, 'locks'));
    if (isStrict) syncPlace(directory);
  } catch (error) {
    fs.rmSync(draft, { recursive: true, force: true });
    if (!['ENOTEMPTY', 'EEXIST'].includes(systemCode(error))) throw diskError(error, 'create the locks in', directory);
  }
}
