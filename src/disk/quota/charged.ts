import { systemCode } from '../journal/disk-error.ts';
import type { Ledger } from './ledger.ts';

/** After these a call may have had its effect, or a part of it. */
const UNCERTAIN = new Set(['EIO', 'ETIMEDOUT', 'ESTALE']);

/**
 * Whether nothing can have come to the disk of what failed so. The tree's own errors come before anything was tried; of
 * those of the system some come after it, when a file is closed for example.
 */
export function isWithoutEffect(error: unknown): boolean {
  return !UNCERTAIN.has(systemCode(error));
}

/** Pays for what `make` puts on the disk, before it does. When that fails it is taken back, where nothing is there. */
export function charged<T>(ledger: Ledger, bytes: number, make: () => T): T {
  ledger.charge(bytes);
  try {
    return make();
  } catch (error) {
    takeBack(ledger, bytes, error);
    throw error;
  }
}

/** Takes back a charge for what failed; where it may be there all the same, that stays paid for until it is counted. */
export function takeBack(ledger: Ledger, bytes: number, error: unknown): void {
  if (isWithoutEffect(error)) ledger.refund(bytes);
  else ledger.doubt();
}
