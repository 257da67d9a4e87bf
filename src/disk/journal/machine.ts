/** A record as a state machine sees it. `payload` is a view that is valid only during the call. */
export interface JournalRecord {
  /** 1 to 199. */
  readonly kind: number;
  /** Who wrote it: a random integer in [1, 2^53). */
  readonly session: number;
  /** Grows with every record of a session, from 1; below 2^32. */
  readonly sequence: number;
  readonly payload: Uint8Array;
}

/** One record of a snapshot; the machine alone knows what it means. */
export interface SnapshotRecord {
  /** 1 to 199. */
  readonly kind: number;
  readonly payload: Uint8Array;
}

/**
 * The deterministic state machine that a journal drives. Every process feeds its own machine the same records in the
 * same order, so every machine is in the same state. None of its methods may use a journal.
 */
export interface Machine<Outcome> {
  /**
   * One record, in journal order, each exactly once.
   *
   * @throws HoldfastError `unknown-record` for a kind that it does not know. What it throws stops its journal for good.
   */
  apply(record: JournalRecord): Outcome;
  /** Back to empty; a snapshot follows. */
  reset(): void;
  restore(kind: number, payload: Uint8Array): void;
  /**
   * The snapshot is complete. `behind` tells that the machine held an older state before, and that the records in
   * between are gone: a machine that reports changes reports its differences now.
   */
  restored(behind: boolean): void;
  /** Its whole state; asked for between records, and read to its end before the next one. */
  snapshot(): Iterable<SnapshotRecord>;
  /** About how many bytes that would be, up to a factor; by default next to none. */
  readonly weight?: number;
}
