import type { DatabaseLocks, WriterClaim } from '../../disk/records/database-locks.ts';
import { uptime } from '../../runtime/timers.ts';

/** A place in the order of writers. */
export interface WriterPlace {
  readonly claim: WriterClaim;
  /** Null: it is this one's turn already. */
  readonly turn: Promise<void> | null;
  /** Whether it was that of the transaction before, so that nobody has written in between. */
  readonly isNext: boolean;
  /** When the journal was seen to say that it is this one's turn; -Infinity: whoever has to know looks. */
  readonly seen: number;
}

/**
 * The places of this realm in the order of a database's writers, as the records of the journal make it. The last one is kept
 * while it is told that its transaction is complete: one that is made meanwhile goes on in it, which costs no record.
 * Invariants
 * - it is given on only when nobody waits for any, in this realm and in others: what came before goes first, and the order
 *   is that of two records that follow each other;
 * - what is kept is given back before anything else runs.
 */
export class WriterPlaces {
  readonly #locks: DatabaseLocks;
  readonly #database: string;
  /** Called before one is given back. */
  readonly #ending: () => void;
  #kept: WriterClaim | null = null;

  constructor(locks: DatabaseLocks, database: string, ending: () => void) {
    this.#locks = locks;
    this.#database = database;
    this.#ending = ending;
  }

  write(): WriterPlace {
    const kept = this.#kept;
    this.#kept = null;
    if (kept !== null && this.#isFree(kept)) return { claim: kept, turn: null, isNext: true, seen: uptime() };
    this.#release(kept);
    return newPlace(this.#locks.write(this.#database));
  }

  /** What cannot be looked at is given back. */
  #isFree(kept: WriterClaim): boolean {
    try {
      return !kept.isWanted;
    } catch {
      return false;
    }
  }

  /** One that readers share, where there are no snapshots. */
  read(): WriterPlace {
    return newPlace(this.#locks.read(this.#database));
  }

  /** Its transaction has ended; `mayKeep`: it has written, and {@link giveBack} comes when it was told so. */
  leave(claim: WriterClaim, mayKeep: boolean): void {
    if (!mayKeep || this.#kept !== null) return this.#release(claim);
    claim.onLost = null;
    this.#kept = claim;
  }

  giveBack(): void {
    const kept = this.#kept;
    this.#kept = null;
    this.#release(kept);
  }

  #release(claim: WriterClaim | null): void {
    if (claim === null) return;
    this.#ending();
    claim.release();
  }
}

function newPlace(claim: WriterClaim): WriterPlace {
  return { claim, turn: claim.granted, isNext: false, seen: -Infinity };
}
