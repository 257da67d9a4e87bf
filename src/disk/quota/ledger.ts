import type fs from 'node:fs';

/**
 * Bytes that an entry costs beside what is in it: a file, a directory, the spelling of a long name. It covers an inode
 * and what the last block of a file leaves empty, so that nobody fills a disk with files of one byte.
 */
export const ENTRY_BYTES = 4096;

/** What an entry costs of which the system has told: for a file also its size, holes included. */
export function weightOf(stats: Pick<fs.Stats, 'size' | 'isFile'>): number {
  return ENTRY_BYTES + (stats.isFile() ? stats.size : 0);
}

/** How long a recount has not begun since: what was freed after one is in it already. */
export type Mark = number;

/** No account is there, and so nothing to give back to. */
export const NO_ACCOUNT: Mark = -1;
/** A recount is under way: nobody can say whether it has met what goes. */
export const COUNTING: Mark = -2;

/**
 * Where whoever takes disk space pays for it. What takes space is charged before it is on the disk, and what has gone is
 * freed afterwards: so whoever is killed in between leaves the account too high, never too low.
 */
export interface Ledger {
  /**
   * Pays for bytes that are about to be written.
   *
   * @throws OverQuotaError when they do not fit; HoldfastError when the account cannot be written
   */
  charge(bytes: number): void;
  /** Takes back a charge of which nothing has come to the disk. Never throws. */
  refund(bytes: number): void;
  /** To be asked for before something goes, and given to {@link free} after it has gone. Never throws. */
  mark(): Mark;
  /** Gives back what something took that is gone. Never throws: at worst the account stays too high until a recount. */
  free(bytes: number, since: Mark): void;
  /** To be called after something has moved, whose way a recount may have crossed. Never throws. */
  moved(since: Mark): void;
  /** Something has changed that nobody can put a number on: a recount will. Never throws. */
  doubt(): void;
}

/** What was to be written does not fit. */
export class OverQuotaError extends Error {
  /** Bytes that may be used in all. */
  readonly quota: number;
  /** Bytes that would have been used. */
  readonly requested: number;

  constructor(message: string, quota: number, requested: number) {
    super(message);
    this.name = 'OverQuotaError';
    this.quota = quota;
    this.requested = requested;
  }
}

/** For where nobody counts. */
export const freeOfCharge: Ledger = {
  charge: () => undefined,
  refund: () => undefined,
  mark: () => NO_ACCOUNT,
  free: () => undefined,
  moved: () => undefined,
  doubt: () => undefined,
};
