import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freeOfCharge, type Ledger } from '../../../src/disk/quota/ledger.ts';
import { SqliteDatabases } from '../../../src/disk/records/databases.ts';
import { BucketLocks } from '../../../src/disk/records/locks/bucket-locks.ts';
import { noPlatformObjects } from '../../../src/disk/values/platform-objects.ts';
import type { IndexedDBPlace } from '../../../src/indexed-db/index.ts';
import { isEncrypted, testPlaceKeys } from '../../support/sealed.ts';

/** A bucket of its own, as a host would give it. */
export interface TestPlace extends IndexedDBPlace {
  readonly path: string;
  close(): Promise<void>;
}

export function newBucket(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-indexed-db-'));
}

const encryption = isEncrypted ? testPlaceKeys() : undefined;

/** The directory of a database. */
export function directoryOf({ path: bucket }: Pick<TestPlace, 'path'>, name: string): string {
  return path.join(bucket, 'indexeddb', 'databases', encryption?.database(name).component ?? name);
}

/** With HOLDFAST_TEST_KEY=1 all of it is encrypted. */
export function placeAt(directory: string, ledger: Ledger = freeOfCharge): TestPlace {
  const bucket = { path: directory, ensure: () => void fs.mkdirSync(directory, { recursive: true }), encryption };
  const locks = new BucketLocks(bucket);
  const databases = new SqliteDatabases({ bucket, foldsNames: false, durability: 'relaxed', ledger, holds: locks, locks, refusal: null });
  return {
    path: directory,
    databases,
    locks,
    platform: noPlatformObjects,
    ready: () => Promise.resolve(),
    async close() {
      await databases.close();
      await locks.close();
    },
  };
}
