import type { Bucket } from './bucket.ts';
import type { Counts } from './meter.ts';

/** How an origin that syncs stands to its hub; see `SyncStatus`. */
export interface SyncStats {
  readonly origin: string;
  readonly connected: boolean;
  readonly position: number;
  /** Null where files are not synced. */
  readonly filesPosition: number | null;
  readonly pending: number;
  readonly rejected: number;
}

/**
 * What {@link StorageHost.stats} gives: integers. Those that count do so from the making of the host, in this realm; a
 * number that is marked *now* goes up and down.
 */
export interface HostStats {
  /** Now: origins in memory. */
  readonly origins: number;
  readonly localStorage: {
    /** Calls of `getItem` and the like. */
    readonly reads: number;
    /** Changes that were accepted, and those that changed nothing. */
    readonly writes: number;
    /** Of UTF-16, keys and values. */
    readonly bytesWritten: number;
    /** Writes that the quota, or the disk's space, refused. */
    readonly refused: number;
  };
  readonly files: {
    /** Files that `getFile()` gave. */
    readonly opened: number;
    /** Reads and bytes of sync access handles; what is read of a File is not counted. */
    readonly reads: number;
    readonly bytesRead: number;
    /** Writes and bytes of sync access handles and writables. */
    readonly writes: number;
    readonly bytesWritten: number;
    /** Handles that were not given because another one holds the file. */
    readonly refused: number;
    /** Now: open sync access handles, writables and observations. */
    readonly open: number;
  };
  /** Web Locks. */
  readonly locks: {
    readonly granted: number;
    /** Requests with `ifAvailable` that found it taken. */
    readonly refused: number;
    /** Requests that were aborted, or failed, before they were granted. */
    readonly withdrawn: number;
    /** Now. */
    readonly waiting: number;
    /** Now. */
    readonly held: number;
  };
  readonly journals: {
    /** Now: with a descriptor each. */
    readonly open: number;
    readonly compactions: number;
    /** Of databases, those that held the event loop for more than 10 ms; the channel `holdfast:checkpoint` tells of each. */
    readonly checkpoints: number;
  };
  /** Now: directories that are watched for `storage` events. */
  readonly watched: number;
  /** Of this root, as `onWarning` hears them. */
  readonly warnings: number;
  /** Of each origin that syncs. */
  readonly sync: readonly SyncStats[];
}

/** @internal */
export function statsOf(counts: Counts, buckets: readonly Bucket[]): HostStats {
  const uses = buckets.map((bucket) => bucket.use);
  const total = (of: 'files' | 'journals' | 'watched'): number => uses.reduce((sum, use) => sum + use[of], 0);
  return {
    origins: buckets.length,
    localStorage: { ...counts.localStorage },
    files: { ...counts.files, open: total('files') },
    locks: { ...counts.locks },
    journals: { open: total('journals'), ...counts.journals },
    watched: total('watched'),
    warnings: counts.warnings,
    sync: buckets.flatMap(syncStats),
  };
}

function syncStats({ origin, syncStatus }: Bucket): SyncStats[] {
  if (syncStatus === null) return [];
  const { connected, position, filesPosition, pending, rejected } = syncStatus;
  return [{ origin, connected, position, filesPosition, pending, rejected }];
}
