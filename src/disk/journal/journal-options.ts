import type { JournalEncryption } from './journal-cipher.ts';
import type { Space } from './space.ts';

/** A journal has a snapshot in place of its history. */
export interface Compaction {
  /** The path of the new generation. */
  readonly path: string;
  /** Bytes of the generation that it takes the place of. */
  readonly before: number;
  /** Bytes of the new one. */
  readonly after: number;
}

export interface JournalOptions {
  /**
   * `relaxed` (default): an acknowledged record survives the death of any process. `strict`: it survives power loss
   * too, provided that every user of the journal is strict.
   */
  readonly durability?: 'relaxed' | 'strict';
  /** How many sealed generations are kept for readers that are slow. Default 0. */
  readonly retain?: number;
  /** Size in bytes from which on an append compacts the journal. Default 1 MiB; never below four times the snapshot, or twice where it is encrypted. */
  readonly compactAt?: number;
  /**
   * Runs what must not overlap with other processes' appends, and returns its result: for disks on which appends are
   * not atomic, which are network disks. Must be synchronous. The journal is then always `strict`, for such a disk may
   * report only at a sync that it has lost a write; and it is opened anew for each use, for only that shows what other
   * machines wrote.
   */
  readonly exclusively?: <T>(section: () => T) => T;
  /** The disk's space; without it every record is tried, and nothing is kept back for any. */
  readonly space?: Space | undefined;
  /** Whether records of a kind may take what `space` keeps back: those that remove data or release something. */
  readonly vital?: (kind: number) => boolean;
  /** Undefined: the journal is not encrypted, and cannot be opened if it turns out to be. */
  readonly encryption?: JournalEncryption | undefined;
  /** Hears of each compaction that this realm has done. Must not throw. */
  readonly onCompaction?: (compaction: Compaction) => void;
  /**
   * Called when the journal turns out to have been removed, replaced or cut back while it was in use, before what is
   * there now is read; what the machine is told then is as after a snapshot. It may not use the journal.
   */
  readonly onReplaced?: () => void;
}
