import path from 'node:path';
import { errorCode } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { rootFailure } from '../root/failure.ts';
import type { Root } from '../root/root.ts';
import { properLockfile } from './packages.ts';

/** A directory in the root that is there while somebody replaces or deletes origins; whoever makes it may. */
export const MAINTENANCE = 'maintenance.lock';

/** After so long without a touch the lock of a killed process is anybody's, in milliseconds. */
const STALE_MS = 10_000;
const TOUCH_MS = 2_000;

/**
 * Runs `body` while nobody else replaces or deletes origins of the root, which is there. Users of its data need no such
 * lock, and are not kept from anything.
 *
 * @throws HoldfastError root-busy where somebody else does; and what `body` throws
 */
export async function withMaintenance<T>(root: Root, body: () => Promise<T>): Promise<T> {
  const release = await lock(root);
  try {
    return await body();
  } finally {
    await release().catch(() => undefined);
  }
}

async function lock(root: Root): Promise<() => Promise<void>> {
  const lockfilePath = path.join(root.path, MAINTENANCE);
  // Whoever was paused for so long that others took the lock: what each of them does is whole by itself.
  const options = { lockfilePath, realpath: false, stale: STALE_MS, update: TOUCH_MS, onCompromised: () => undefined } as const;
  try {
    return await properLockfile().lock(root.path, options);
  } catch (error) {
    if (errorCode(error) !== 'ELOCKED') throw rootFailure('write to', root.path, error);
    throw new HoldfastError('root-busy', `Somebody else is replacing or deleting origins of ${root.path}. Try again when that is done.`, { cause: error });
  }
}
