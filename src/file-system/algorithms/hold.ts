import type { FileLock, LockClass } from '../../disk/locks/lock-table.ts';
import type { Entry } from '../entry.ts';
import { entryError, handleError } from '../errors.ts';
import type { OpenResource } from '../file-system.ts';

/** Ends what was never closed when its handle is collected; what was closed ends a second time, which is harmless. */
export const dropped = new FinalizationRegistry<OpenResource>((resource) => resource.end());

/**
 * Locks the file of a handle for something that stays open. https://fs.spec.whatwg.org/#file-entry-lock-take
 *
 * Whoever gets the lock looks again whether the file is there: another process may have removed it just before.
 *
 * @throws DOMException NotFoundError; NoModificationAllowedError when another lock is in the way
 */
export async function lockOrFail(entry: Entry, lockClass: LockClass, context: string): Promise<FileLock> {
  const { system } = entry;
  system.requireOpen(context);
  const lock = await take(entry, lockClass, context);
  if (lock === null) {
    throw entryError('NoModificationAllowedError', context, entry.locator, 'is locked by another handle or operation');
  }
  if (!system.isOpen) lock.release(); // closed while waiting: nothing would ever end the lock
  system.requireOpen(context);
  return lock;
}

async function take(entry: Entry, lockClass: LockClass, context: string): Promise<FileLock | null> {
  const { system } = entry;
  if (system.isClaimed(entry.locator)) return null;
  try {
    const earlier = system.before(entry.locator);
    if (earlier !== undefined) await earlier;
    requireFile(entry, context); // what is not there must not be locked, lest that be why others are refused
    return await system.lock(entry.locator, lockClass);
  } catch (error) {
    throw handleError(error, entry, context);
  }
}

/** @throws DOMException NotFoundError */
export function requireFile({ system, locator }: Entry, context: string): void {
  if (system.tree.kindOf(locator) !== 'file') throw entryError('NotFoundError', context, locator, 'does not exist');
}
