import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { freeOfCharge, type Ledger } from '../../../src/disk/quota/ledger.ts';
import { isEncrypted, testPlaceKeys } from '../../support/sealed.ts';
import { RealmHolds } from './realm-holds.ts';
import type { BucketPlace } from '../../../src/disk/place.ts';
import type { DatabaseLocks, WriterClaim } from '../../../src/disk/records/database-locks.ts';
import { SqliteDatabases, type DatabasesPlace } from '../../../src/disk/records/databases.ts';
import { driverOn } from '../../../src/disk/records/drivers.ts';
import { sealedFiles } from '../../../src/disk/records/sealed-files.ts';
import type { SqlDriver } from '../../../src/disk/records/sql-driver.ts';
import type { Steps } from '../../../src/disk/records/record-database.ts';

const claim: WriterClaim = { granted: null, isWanted: false, isLost: false, onLost: null, release: () => undefined };

/** For one realm that takes care of itself. */
const noLocks: DatabaseLocks = {
  queue: () => Promise.resolve(claim),
  isAnyQueued: () => false,
  connect: () => claim,
  alone: () => Promise.resolve(claim),
  write: () => claim,
  writersBefore: () => null,
  read: () => claim,
  isOpen: () => false,
};

/** With DRIVER=sealed, or HOLDFAST_TEST_KEY=1, all is encrypted. */
const encryption = process.env['DRIVER'] === 'sealed' || isEncrypted ? testPlaceKeys() : undefined;

/** What the directory of a database is called. */
export const componentOf = (name: string): string => encryption?.database(name).component ?? name;

/** What opens the files of a database; null where they are not encrypted. */
export async function sealedDriver(name: string): Promise<SqlDriver | null> {
  return encryption === undefined ? null : await driverOn(sealedFiles(encryption.database(name)));
}

export const isSealed = encryption !== undefined;

export function newBucket(): string {
  return fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-records-'));
}

export const placeOf = (bucket: string): BucketPlace => ({ path: bucket, ensure: () => void fs.mkdirSync(bucket, { recursive: true }), encryption });

export function databasesAt(bucket: string, change: Partial<DatabasesPlace> & { ledger?: Ledger } = {}): SqliteDatabases {
  return new SqliteDatabases({
    bucket: placeOf(bucket),
    foldsNames: false,
    durability: 'relaxed',
    ledger: freeOfCharge,
    holds: new RealmHolds(),
    locks: noLocks,
    refusal: null,
    ...change,
  });
}

/** Does it to the end. */
export function run<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
