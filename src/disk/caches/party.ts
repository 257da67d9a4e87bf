import type { Ledger } from '../quota/ledger.ts';

/** That this realm is seen by others to live, so that nobody takes its drafts for those of a killed one. */
export interface Presence {
  /** False once others have taken it for dead all the same: then its drafts may be gone. */
  readonly holds: boolean;
  release(): void;
}

/** This realm among those that share a bucket. Asked anew for each use: it may be another one after a rest. */
export interface CacheParty {
  /** What its files' names begin with: a UUID. */
  readonly folder: string;
  /** Whether the realm with that folder has ended. */
  isDead(folder: string): boolean;
  /** Shows that it lives, until that is released. @throws HoldfastError */
  appear(): Presence;
  /** What pays for responses. */
  readonly ledger: Ledger;
}
