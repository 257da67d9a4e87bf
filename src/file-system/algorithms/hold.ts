import type { FileLock, LockClass } from '../../disk/locks/lock-table.ts';
import type { Entry } from '../entry.ts';
import { entryError, handleError } from '../errors.ts';
import type { OpenResource } from '../file-system.ts';

/** Ends what was never closed when its handle is collected; what was closed ends a second time, which is harmless. */
export const dropped = new FinalizationRegistry<OpenResource>((resource) => resource.end());

/**
 * https://fs.spec.whatwg.org/#file-entry-lock-take, for a handle that stays.
 *
 * @throws DOMException NoModificationAllowedError when another lock is in the way
 */
export async function lockOrFail(entry: Entry, lockClass: LockClass, context: string): Promise<FileLock> {
  const { system, locator } = entry;
  system.requireOpen(context);
  const lock = await take(entry, lockClass, context);
  if (lock === null) {
    throw entryError('NoModificationAllowedError', context, locator, 'is locked by another handle or operation');
  }
  if (!system.isOpen) lock.release(); // closed while waiting: nothing would ever end the lock
  system.requireOpen(context);
  return lock;
}

async function take(entry: Entry, lockClass: LockClass, context: string): Promise<FileLock | null> {
  try {
    return await entry.system.lock(entry.locator, lockClass);
  } catch (error) {
    throw handleError(error, entry, context);
  }
}
