import fs from 'node:fs';
import path from 'node:path';
import { errorCode } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomUuid } from '../../runtime/random.ts';
import { properLockfile } from '../maintenance/packages.ts';
import { repositoryFailure } from './backup-error.ts';

/** A lock that nobody has touched for so long is what a killed process has left, in milliseconds. */
const STALE_MS = 30_000;
const TOUCH_MS = 5_000;

/** The file that says who has the lock; it means nothing without one. */
const HOLDER = 'holder';

/** Whoever holds it may add backups, and remove some. */
export interface RepositoryLock {
  /** @throws HoldfastError backup-busy when it was taken away, because this process was paused for too long */
  assertHeld(): void;
}

/**
 * Runs `body` while nobody else writes to a repository, which may lie on a network disk. Who only reads needs no lock.
 *
 * @throws HoldfastError backup-busy while somebody else does, and what `body` throws
 */
export async function withRepositoryLock<T>(repository: string, body: (lock: RepositoryLock) => Promise<T>): Promise<T> {
  const release = await take(repository);
  try {
    const token = claim(repository);
    return await body({ assertHeld: () => requireToken(repository, token) });
  } finally {
    await release().catch(() => undefined);
  }
}

/** Says who holds the lock, to whoever was paused for so long that it was taken from them. */
function claim(repository: string): string {
  const token = randomUuid();
  try {
    fs.writeFileSync(path.join(repository, HOLDER), token, { mode: 0o600 });
  } catch (error) {
    throw repositoryFailure(repository, 'write to', error);
  }
  return token;
}

function requireToken(repository: string, token: string): void {
  let holder: string;
  try {
    holder = fs.readFileSync(path.join(repository, HOLDER), 'utf8');
  } catch (error) {
    throw repositoryFailure(repository, 'read', error);
  }
  if (holder !== token) throw busy(repository, 'was taken over by another process, because this one was paused for too long');
}

async function take(repository: string): Promise<() => Promise<void>> {
  try {
    // That it was taken away is looked at before anything relies on it.
    const lockfilePath = path.join(repository, 'lock');
    return await properLockfile().lock(repository, { lockfilePath, realpath: false, stale: STALE_MS, update: TOUCH_MS, onCompromised: () => undefined });
  } catch (error) {
    if (errorCode(error) === 'ELOCKED') throw busy(repository, 'is in use by another backup');
    throw repositoryFailure(repository, 'write to', error);
  }
}

function busy(repository: string, why: string): HoldfastError {
  return new HoldfastError('backup-busy', `The repository ${repository} ${why}.`);
}
