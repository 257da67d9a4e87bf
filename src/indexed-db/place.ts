import type { DatabaseLocks } from '../disk/records/database-locks.ts';
import type { RecordDatabases } from '../disk/records/record-database.ts';
import type { PlatformObjects } from '../disk/values/platform-objects.ts';

/**
 * A bucket, as IndexedDB sees it, given by the host. Factories of one place share what is open in this realm, so a bucket
 * has one place in a realm.
 */
export interface IndexedDBPlace {
  /**
   * Loads what the rest of this needs, when the first database is opened, listed or deleted. Rejects where there can be
   * no databases: the request then fails with that error, and the next asks again.
   */
  ready(): Promise<void>;
  /** To be asked for once it is ready. */
  get databases(): RecordDatabases;
  /** To be asked for once it is ready. */
  get locks(): DatabaseLocks;
  /** Handles and the like. Blobs and Files are not its business; its kinds are others. */
  readonly platform: PlatformObjects;
}
