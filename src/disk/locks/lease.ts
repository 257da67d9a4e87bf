import fs from 'node:fs';
import path from 'node:path';
import { uptime, wallClock } from '../../runtime/timers.ts';
import { isLink } from '../directories.ts';

/**
 * What shows that a session lives where its thread cannot be seen: a file that it touches now and then while it holds
 * or waits for something.
 */
export function touchLease(bucket: string, folder: string): void {
  const file = leasePath(bucket, folder);
  const now = new Date(wallClock());
  try {
    if (!isLink(file)) fs.utimesSync(file, now, now);
  } catch {
    createLease(file);
  }
}

export function removeLease(bucket: string, folder: string): void {
  fs.rmSync(leasePath(bucket, folder), { force: true });
}

/** A lease that cannot be written (a full disk) is no reason to fail: at worst others take the session for dead. */
function createLease(file: string): void {
  try {
    fs.writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
  } catch {
    // As above.
  }
}

interface Observation {
  /** When the lease was touched, by the toucher's clock; only compared for being the same. */
  mtime: number;
  /** Milliseconds of this observer's monotonic clock during which it was seen not to change. */
  still: number;
  seenAt: number;
}

/**
 * Watches leases of others. A lease has ended when it did not change for `leaseMs` of the observer's own monotonic
 * clock. Of a pause between two looks only `maxStepMs` count: if the whole machine slept, so did the one observed.
 */
export class LeaseObserver {
  readonly #bucket: string;
  readonly #leaseMs: number;
  readonly #maxStepMs: number;
  readonly #observations = new Map<string, Observation>();

  constructor(bucket: string, leaseMs: number, maxStepMs: number) {
    this.#bucket = bucket;
    this.#leaseMs = leaseMs;
    this.#maxStepMs = maxStepMs;
  }

  /** One look at a lease; true when it has ended. */
  hasEnded(folder: string): boolean {
    const mtime = readLease(this.#bucket, folder);
    const now = uptime();
    const before = this.#observations.get(folder);
    // After a long time without a look it may have held nothing meanwhile, and need not have been touched.
    if (before?.mtime !== mtime || now - before.seenAt > 10 * this.#maxStepMs) {
      this.#observations.set(folder, { mtime, still: 0, seenAt: now });
      return false;
    }
    before.still += Math.min(now - before.seenAt, this.#maxStepMs);
    before.seenAt = now;
    return before.still >= this.#leaseMs;
  }

  forget(folder: string): void {
    this.#observations.delete(folder);
  }
}

/** A missing lease is one that was never touched. */
function readLease(bucket: string, folder: string): number {
  return fs.lstatSync(leasePath(bucket, folder), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function leasePath(bucket: string, folder: string): string {
  return path.join(bucket, 'wake', `${folder}.lease`);
}
