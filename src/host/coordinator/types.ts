import type { CoordinatorState as StateOf } from '../../coordinator/state.ts';
import type { Alarm } from '../../disk/coordinator/owned-records.ts';
import type { StorageClient } from '../storage-client.ts';

/** What the constructor of a coordinator is given, and `this.state`. */
export type CoordinatorState<Client = StorageClient> = StateOf<Client>;

/** A coordinator of a root, or of a hub, as `coordinators.list()` finds it. */
export interface CoordinatorListing {
  /** Serialized. */
  readonly origin: string;
  readonly className: string;
  /** Null where it is longer than a directory's name may be and was not kept beside it. */
  readonly name: string | null;
  /** Its directory; where a hub keeps it, the name of its log there. */
  readonly path: string;
  /** How often an instance of it has been made. */
  readonly epoch: number;
  /** Who has it; null: nobody, and the next call makes an instance. */
  readonly owner: {
    /** The name of its socket in `<root>/coordinators/s/`; where a hub keeps it, behind the name of the region and a `/`. */
    readonly address: string;
    /** The region that has it, where a hub keeps it; null: it is kept in the root. */
    readonly region: string | null;
    /** The number of the process; null where it is gone, or has not said, and where it is none of this root's. */
    readonly process: number | null;
    /**
     * False: it has ended, or hangs, and whoever calls next takes over. Of another region: whether that answers; null where
     * nobody here can ask it, for it takes a region to ask one.
     */
    readonly answers: boolean | null;
  } | null;
  /** `time`: in milliseconds since 1970; `attempt`: how often it has failed since it was set. */
  readonly alarm: Alarm | null;
  /** Of its localStorage, in bytes of UTF-16. */
  readonly bytes: number;
  /** Of its localStorage. */
  readonly items: number;
  /** What it is doing; null: it is not in memory, or whoever has it does not answer, or has it in another region. */
  readonly live: {
    /** Its last event, in milliseconds since 1970. */
    readonly usedAt: number;
    /** Calls that have not begun. */
    readonly waiting: number;
    /** Calls and alarms that run. */
    readonly running: number;
    /** How often its alarm has failed in a row. */
    readonly failures: number;
  } | null;
}
