import fs from 'node:fs';
import { createRequire } from 'node:module';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { uptime } from '../../runtime/timers.ts';
import { diskError, systemCode } from './disk-error.ts';

/*
 * For disks on which appends are not atomic: each append and compaction holds a lock that is a directory beside the
 * journal, made and removed by proper-lockfile.
 *
 * - The package is loaded by the first append: importing it replaces functions of `fs` and `process`.
 * - A lock that a killed process has left is removed only after one realm has seen it unchanged for STALE_MS by its own
 *   monotonic clock: clocks of several machines need not agree, and a new holder is never taken for the old one.
 * - Only one realm at a time removes an abandoned lock; a second lock sees to that.
 * - Whoever was paused for so long that its lock was removed does not remove that of its successor, and says that the
 *   outcome of its append is unknown.
 */

/** What is used of proper-lockfile. */
interface ProperLockfile {
  lockSync(file: string, options: LockfileOptions): unknown;
  unlockSync(file: string, options: LockfileOptions): void;
}

interface LockfileOptions {
  readonly realpath: false;
  readonly stale?: number;
  readonly update?: number;
  readonly fs: object;
  readonly onCompromised?: (error: Error) => void;
}

const PACKAGE = 'proper-lockfile';

/** How long a lock must be seen unchanged before it counts as abandoned, in milliseconds. Sections take far less. */
const STALE_MS = 10_000;

/** How long an append waits for others in all, in milliseconds: long enough to outlive an abandoned lock or two. */
const PATIENCE_MS = 3 * STALE_MS;

const LONGEST_PAUSE_MS = 20;

/** Locks are held within one synchronous call, so that the timer which would touch them never fires. */
const NEVER_MS = 2 ** 31 - 1;

const neverWoken = new Int32Array(new SharedArrayBuffer(4));

let loaded: ProperLockfile | undefined;

/** Only made where it is needed: not every runtime can from every URL. */
const requireHere = (): NodeJS.Require => createRequire(import.meta.url);

/**
 * Says early that the package is missing; does not load it.
 *
 * @throws HoldfastError bad-option
 */
export function requireLockfilePackage(): void {
  try {
    requireHere().resolve(PACKAGE);
  } catch (cause) {
    throw new HoldfastError('bad-option', `Option 'shared: lockfile' needs the package ${PACKAGE}, which is not installed.`, { cause });
  }
}

function load(): ProperLockfile {
  try {
    return requireHere()(PACKAGE) as ProperLockfile;
  } catch (cause) {
    // Deno refuses what it reads of the environment, unless --allow-env was given.
    throw new HoldfastError('bad-option', `Option 'shared: lockfile' needs the package ${PACKAGE}, which cannot be loaded: ${String(cause)}`, { cause });
  }
}

/** Which directory the lock is: a new one is another, even under the same name. */
function identityOf(lock: string): string | null {
  const stat = fs.statSync(lock, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.ino} ${stat.ctimeNs} ${stat.mtimeNs}`;
}

/** Runs a section while no other realm does so for the same journal. */
export class LockfileSections {
  readonly #directory: string;
  /** The lock of somebody else, as it was last seen, and since when. */
  #seen: { readonly identity: string; readonly since: number } | null = null;

  constructor(directory: string) {
    this.#directory = directory;
  }

  get #path(): string {
    return `${this.#directory}.lock`;
  }

  run<T>(section: () => T): T {
    const lockfile = (loaded ??= load());
    this.#acquire(lockfile);
    const own = identityOf(this.#path);
    let outcome: { readonly value: T } | { readonly error: unknown };
    try {
      outcome = { value: section() };
    } catch (error) {
      outcome = { error };
    }
    this.#release(lockfile, own);
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  #acquire(lockfile: ProperLockfile): void {
    const limit = uptime() + PATIENCE_MS;
    for (let pause = 1; !this.#tryToAcquire(lockfile); pause = Math.min(2 * pause, LONGEST_PAUSE_MS)) {
      if (uptime() > limit) throw tooLong(this.#directory);
      this.#removeIfAbandoned(lockfile);
      // Not all at once again.
      Atomics.wait(neverWoken, 0, 0, pause * (0.5 + Math.random()));
    }
    this.#seen = null;
  }

  /** False if somebody else has it. */
  #tryToAcquire({ lockSync }: ProperLockfile): boolean {
    try {
      lockSync(this.#directory, { ...lockOptions, stale: Infinity, update: NEVER_MS });
      return true;
    } catch (error) {
      if (systemCode(error) === 'ELOCKED') return false;
      throw diskError(error, 'lock the journal', this.#directory);
    }
  }

  #removeIfAbandoned(lockfile: ProperLockfile): void {
    const identity = identityOf(this.#path);
    const now = uptime();
    if (identity === null) this.#seen = null;
    else if (this.#seen?.identity !== identity) this.#seen = { identity, since: now };
    else if (now - this.#seen.since > STALE_MS) this.#remove(lockfile, identity);
  }

  /** Removes the lock if it is still that one. */
  #remove({ lockSync, unlockSync }: ProperLockfile, identity: string): void {
    try {
      lockSync(this.#path, { ...lockOptions, stale: STALE_MS });
    } catch {
      return; // Somebody else does it.
    }
    if (identityOf(this.#path) === identity) fs.rmdirSync(this.#path);
    unlockSync(this.#path, lockOptions);
  }

  #release({ unlockSync }: ProperLockfile, own: string | null): void {
    const isOurs = identityOf(this.#path) === own;
    try {
      unlockSync(this.#directory, isOurs ? lockOptions : { ...lockOptions, fs: removesNothing });
    } catch {
      // It stays, and counts as abandoned soon.
    }
    if (!isOurs) throw overtaken(this.#directory);
  }
}

/** Called through `fs` at call time; directories are for their owner only. */
const lockDisk = {
  mkdirSync: (path: string) => fs.mkdirSync(path, { mode: 0o700 }),
  rmdirSync: (path: string) => fs.rmdirSync(path),
  statSync: (path: string) => fs.statSync(path),
  utimesSync: (path: string, atime: Date, mtime: Date) => fs.utimesSync(path, atime, mtime),
};

const removesNothing = { ...lockDisk, rmdirSync: () => {} };

/** The default of the last throws from a timer. */
const lockOptions: LockfileOptions = { realpath: false, fs: lockDisk, onCompromised: () => {} };

function tooLong(directory: string): HoldfastError {
  const message = `Could not append to the journal in ${directory}: others held its lock for ${PATIENCE_MS / 1000} seconds.`;
  return new HoldfastError('disk-failed', message);
}

function overtaken(directory: string): HoldfastError {
  const message = `Whether a record reached the journal in ${directory} is unknown: this thread was paused for so long while it held the lock that others took its place.`;
  return new HoldfastError('disk-failed', message);
}
