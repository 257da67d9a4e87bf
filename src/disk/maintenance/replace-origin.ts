import fs from 'node:fs';
import path from 'node:path';
import { randomUuid } from '../../runtime/random.ts';
import { isDirectory, isLink } from '../directories.ts';
import { systemCode } from '../journal/disk-error.ts';
import { encodeOrigin } from '../names/origin.ts';
import { syncPath } from '../root/durable.ts';
import { rootFailure } from '../root/failure.ts';
import { destroyElsewhere, destroyKeys } from '../root/encrypted.ts';
import type { Root } from '../root/root.ts';
import { removeTree } from './packages.ts';
import { replacedName } from './replaced.ts';

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
 * Deletes all of an origin, with its buckets; of an encrypted one its keys first. One rename takes it out of sight; what is then in the workshop is deleted,
 * after a kill by the next user of the root who finds it. Processes that have the origin open notice, as they notice any
 * other removal, and begin anew or fail with an error; none goes on with what was deleted.
 *
 * @returns whether there was anything
 * @throws HoldfastError root-read-only, disk-failed; as {@link destroyElsewhere}, and then nothing was deleted
 */
export async function deleteOrigin(root: Root, origin: string): Promise<boolean> {
  const gone = doomedName(root);
  // Whatever becomes of the rest, and of what the disk has freed: from here on it is noise.
  const place = pathOfOrigin(root, origin);
  if (!isLink(place)) {
    await destroyElsewhere(root, place, origin);
    destroyKeys(place);
  }
  if (!takeAway(root, origin, gone)) return false;
  await removeTree(gone);
  return true;
}

/**
 * Gives `staged`, a directory of an origin on the same disk, the place of the origin, whatever is there. A kill between
 * its two renames leaves no origin, and what was to be replaced in the workshop under a name that nobody sweeps. Where
 * the second one fails, what was there is put back.
 *
 * @returns whether it took the place of anything
 * @throws HoldfastError root-read-only, disk-failed
 */
export async function replaceOrigin(root: Root, origin: string, staged: string): Promise<boolean> {
  const place = pathOfOrigin(root, origin);
  let replaced = 0;
  for (let attempt = 1; ; attempt += 1) {
    const aside = path.join(root.workshop, replacedName());
    const had = takeAway(root, origin, aside);
    if (had) replaced += 1;
    try {
      fs.renameSync(staged, place);
    } catch (error) {
      // Whoever writes in between has made it anew, and what was there before them is what they knew nothing of.
      const isAnew = ['ENOTEMPTY', 'EEXIST'].includes(systemCode(error)) && attempt < ATTEMPTS;
      if (had && isAnew) await discard(root, aside);
      else if (had) putBack(aside, place);
      if (isAnew) continue;
      throw rootFailure('write to', root.path, error);
    }
    if (root.durability === 'strict') syncPath(root.origins);
    if (had) await discard(root, aside);
    return replaced > 0;
  }
}

/** From now on it is rubbish, whoever removes it. */
async function discard(root: Root, aside: string): Promise<void> {
  const gone = doomedName(root);
  fs.renameSync(aside, gone);
  await removeTree(gone);
}

/** Where that fails too, or somebody has made the origin anew, it stays in the workshop. */
function putBack(aside: string, place: string): void {
  try {
    fs.renameSync(aside, place);
  } catch {
    // Whoever is told of the failure looks there.
  }
}

function doomedName(root: Root): string {
  return path.join(root.workshop, `${randomUuid()}.dead`);
}

/** Moves the origin to `target`; false: there was nothing. */
function takeAway(root: Root, origin: string, target: string): boolean {
  const place = pathOfOrigin(root, origin);
  if (isLink(place)) throw rootFailure('write to', root.path, Object.assign(new Error(`${place} is a link`), { code: 'ELOOP' }));
  try {
    fs.renameSync(place, target);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' && !isDirectory(place)) return false;
    throw rootFailure('write to', root.path, error);
  }
  if (root.durability === 'strict') syncPath(root.origins);
  return true;
}
