import type { UsageDetails } from '../../storage/storage-manager.ts';
import type { Hub } from '../../sync/hub.ts';
import type { OriginLike } from '../origin.ts';

/** What a bucket of an origin takes. */
export interface BucketSummary {
  readonly name: string;
  /** Bytes. */
  readonly usage: number;
  readonly usageDetails: UsageDetails;
  /** How many items its `localStorage` has. */
  readonly items: number;
  /** When anything in it was written or locked last, in milliseconds since 1970. */
  readonly lastChange: number;
}

/** What the coordinators of an origin take, all together. */
export interface CoordinatorsSummary extends Omit<BucketSummary, 'name'> {
  readonly count: number;
}

/** What an origin takes, of all its buckets and coordinators together. */
export interface OriginSummary {
  readonly origin: string;
  /** Bytes. */
  readonly usage: number;
  readonly usageDetails: UsageDetails;
  /** When anything of it was written or locked last, in milliseconds since 1970. */
  readonly lastChange: number;
  readonly buckets: readonly BucketSummary[];
  readonly coordinators: CoordinatorsSummary;
}

/** Options of `host.rekey()`. */
export interface RekeyOptions {
  /** Whether the origin gets a new data key too, with which all is encrypted from then on. Default false. */
  readonly dataKey?: boolean;
  /** Whether each file is rewritten with the active data key, and data keys that nothing needs any more are forgotten. Default false. */
  readonly files?: boolean;
  /** Where the keys that its regions share are to be wrapped anew too; default: that of the host's option `sync`, if it has the origin. Null: nowhere. */
  readonly hub?: Hub | null;
}

/** What becomes of what an origin has already. */
export type Existing = 'refuse' | 'merge' | 'replace';

/** Options of `host.exportOrigin()`. */
export interface ExportOptions {
  /** A named bucket, of one origin: nothing else is exported. */
  readonly bucket?: string;
  /** Whether what is encrypted is exported as if it were not: whoever has the archive can read it. Default false. */
  readonly plain?: boolean;
}

/** Options of `host.importOrigin()`. */
export interface ImportOptions {
  /** Whom the data are for, where the archive has one origin. By default each becomes what it was. */
  readonly origin?: OriginLike;
  /** A named bucket: nothing else is imported. What is there of the origin can be kept or merged with, not replaced. */
  readonly bucket?: string;
  /**
   * What becomes of data that are there already: `refuse` (the default) is an error, `origin-exists`; `merge` keeps what
   * the archive does not have, and puts what it has over the rest; `replace` deletes them.
   */
  readonly existing?: Existing;
}

/** What was imported. */
export interface ImportedOrigin {
  /** What it was when it was exported. */
  readonly source: string;
  readonly origin: string;
  readonly outcome: 'created' | 'merged' | 'replaced';
}
