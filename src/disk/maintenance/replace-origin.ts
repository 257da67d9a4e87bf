import fs from 'node:fs';
import path from 'node:path';
import { randomUuid } from '../../runtime/random.ts';
import { isDirectory, isLink } from '../directories.ts';
import { systemCode } from '../journal/disk-error.ts';
import { encodeOrigin } from '../names/origin.ts';
import { syncPath } from '../root/durable.ts';
import { rootFailure } from '../root/failure.ts';
import type { Root } from '../root/root.ts';
import { removeTree } from './packages.ts';

/** Attempts at giving an origin its place while others make it anew. */
const ATTEMPTS = 100;

export function pathOfOrigin(root: Root, origin: string): string {
  return path.join(root.origins, encodeOrigin(origin));
}

/** Whether the root has anything of the origin. */
export function hasOrigin(root: Root, origin: string): boolean {
  return isDirectory(pathOfOrigin(root, origin));
}

/**
 * Deletes all of an origin, with its buckets. One rename takes it out of sight; what is then in the workshop is deleted,
 * after a kill by the next user of the root who finds it. Processes that have the origin open notice, as they notice any
 * other removal, and begin anew or fail with an error; none goes on with what was deleted.
 *
 * @returns whether there was anything
 * @throws HoldfastError root-read-only, disk-failed
 */
export async function deleteOrigin(root: Root, origin: string): Promise<boolean> {
  const gone = takeAway(root, origin);
  if (gone === null) return false;
  await removeTree(gone);
  return true;
}

/**
 * Gives `staged`, a directory of an origin on the same disk, the place of the origin, whatever is there. A kill between
 * its two renames leaves neither: then what was replaced is gone, and it is to be done again.
 *
 * @returns whether it took the place of anything
 */
export async function replaceOrigin(root: Root, origin: string, staged: string): Promise<boolean> {
  for (let attempt = 1, had = false; ; attempt += 1) {
    const gone = takeAway(root, origin);
    had ||= gone !== null;
    try {
      fs.renameSync(staged, pathOfOrigin(root, origin));
      if (root.durability === 'strict') syncPath(root.origins);
      if (gone !== null) await removeTree(gone);
      return had;
    } catch (error) {
      // Whoever writes in between has made it anew.
      if (!['ENOTEMPTY', 'EEXIST'].includes(systemCode(error)) || attempt === ATTEMPTS) throw rootFailure('write to', root.path, error);
    }
    if (gone !== null) await removeTree(gone);
  }
}

/** The name that it has now, which means that it is to be deleted; null: there was nothing. */
function takeAway(root: Root, origin: string): string | null {
  const place = pathOfOrigin(root, origin);
  const gone = path.join(root.workshop, `${randomUuid()}.dead`);
  if (isLink(place)) throw rootFailure('write to', root.path, Object.assign(new Error(`${place} is a link`), { code: 'ELOOP' }));
  try {
    fs.renameSync(place, gone);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && !isDirectory(place)) return null;
    throw rootFailure('write to', root.path, error);
  }
  if (root.durability === 'strict') syncPath(root.origins);
  return gone;
}
