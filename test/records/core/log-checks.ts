import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { builtInDriver } from '../../../src/disk/records/drivers.ts';
import { FRAME_HEADER_BYTES, LogFill } from '../../../src/disk/records/log-fill.ts';
import type { LongCheckpoint } from '../../../src/disk/records/sqlite-database.ts';
import { PAGE_BYTES, SqliteFile } from '../../../src/disk/records/sqlite-file.ts';
import { freeOfCharge, OverQuotaError } from '../../../src/disk/quota/ledger.ts';
import type { Space } from '../../../src/disk/journal/space.ts';
import type { BucketPlace } from '../../../src/disk/place.ts';
import { HoldfastError } from '../../../src/runtime/holdfast-error.ts';
import type { RecordDatabase } from '../../../src/disk/records/record-database.ts';
import { placeOf } from '../support/databases.ts';
import { at, blobsIn, directoryOf, erase, put, store, until, value, withStore, type Checks } from './checks.ts';

/** Of the log of a database, where the driver has one, and of checkpoints. */
export const logChecks: Checks = {};

logChecks['checkpoints that take long are told'] = async (bucket) => {
  const told: LongCheckpoint[] = [];
  const databases = at(bucket, { onCheckpoint: (checkpoint) => told.push(checkpoint), longMs: 0 });
  const { database, store: id } = await withStore(databases, 'told');
  if (!database.hasSnapshots) return;
  for (let n = 0; n < 1000; n++) await store(database, id, n, value(4000));
  await until(() => told.length > 0, 'a checkpoint is told');
  database.close();
  for (const { database: name, milliseconds, bytes } of told) assert(name === 'told' && milliseconds > 0 && bytes > 0, JSON.stringify(told));
  const quiet: LongCheckpoint[] = [];
  const other = await at(bucket, { onCheckpoint: (checkpoint) => quiet.push(checkpoint), longMs: Infinity }).open('told');
  other?.close();
  assert.deepStrictEqual(quiet, []);
};

logChecks['a log that begins anew is written over, and what is in it is counted'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  const driver = await builtInDriver();
  if (!database.hasSnapshots || driver === null) return;
  await store(database, id, 0, value(1));
  const session = new SqliteFile(directoryOf(bucket), driver).open();
  const log = fs.openSync(path.join(directoryOf(bucket), 'db-wal'), 'r');
  const fill = new LogFill(PAGE_BYTES, (length, place) => {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, fs.readSync(log, bytes, 0, length, place));
  });
  const sizes: number[] = [];
  for (let round = 0; round < 40; round++) {
    for (let n = (round * 13) % 37; n >= 0; n--) await store(database, id, n, value(4000, [], round));
    // This brings all of it over, so that it begins anew.
    assert.strictEqual(fill.count(), session.by('PRAGMA wal_checkpoint(PASSIVE)').get()?.[1]);
    sizes.push(fs.fstatSync(log).size);
  }
  assert.deepStrictEqual(sizes, sizes.toSorted((a, b) => a - b), 'it was cut');
  fs.closeSync(log);
  session.close();
};

logChecks['a log is brought over as it fills, however often it began anew'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  if (!database.hasSnapshots) return;
  const log = path.join(directoryOf(bucket), 'db-wal');
  for (let n = 0; n < 9000; n++) {
    await store(database, id, n % 50, value(2000, [], n));
    if (n % 40 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  const { size } = fs.statSync(log);
  assert(size < 4300 * (PAGE_BYTES + FRAME_HEADER_BYTES), `${size} bytes`);
};

logChecks['what the log takes is given back where there is no room'] = async (bucket) => {
  let used = 0;
  let quota = Infinity;
  const charge = (bytes: number): void => {
    if (used + bytes > quota) throw new OverQuotaError('there is no room', quota, used + bytes);
    used += bytes;
  };
  const free = (bytes: number): void => void (used -= bytes);
  const { database, store: id } = await withStore(at(bucket, { ledger: { ...freeOfCharge, charge, refund: free, free } }));
  if (!database.hasSnapshots) return;
  for (let n = 0; n < 200; n++) await store(database, id, n % 10, value(4000, [], n));
  const before = used;
  quota = used + 1000;
  await assert.rejects(store(database, id, 0, value(4000)), OverQuotaError);
  await until(() => used < before - 500_000, 'the log is cut');
  await store(database, id, 0, value(4000));
};

const fileOf = (bucket: string): string => path.join(directoryOf(bucket), 'db');

/** So many records of 60,000 bytes in one transaction. */
async function storeMany(database: RecordDatabase, id: number, count: number): Promise<void> {
  const write = database.write();
  try {
    for (let n = 0; n < count; n++) put(write, id, n, value(60_000));
    await write.commit('relaxed');
  } finally {
    write.rollback();
  }
}

/** A bucket on a disk of which `room.left` is left; `room.asked` counts how often that was asked. */
function bucketWithRoom(directory: string): { readonly room: { left: number; asked: number }; readonly bucket: BucketPlace } {
  const room = { left: 10 * 2 ** 20, asked: 0 };
  const left = (): number => {
    room.asked += 1;
    return room.left;
  };
  const space: Space = { left, hasRoom: () => true, refusal: () => new HoldfastError('disk-full', 'It is full.'), giveUp: () => false, replenish: () => undefined };
  return { room, bucket: { ...placeOf(directory), space } };
}

logChecks['what has no room in the log and in the file is refused, and no checkpoint takes what the disk has left'] = async (directory) => {
  const { room, bucket } = bucketWithRoom(directory);
  const { database, store: id } = await withStore(at(directory, { bucket }));
  if (!database.hasSnapshots) return;
  await assert.rejects(storeMany(database, id, 300), OverQuotaError);
  await storeMany(database, id, 100);
  Object.assign(room, { left: -1, asked: 0 });
  await until(() => room.asked > 0, 'a checkpoint asks for room');
  assert(fs.statSync(fileOf(directory)).size < 2 ** 20, 'it was brought over');
  await erase(database, id, 0);
  database.close();
  assert(fs.statSync(fileOf(directory)).size > 5 * 2 ** 20);
};

logChecks['what does not make the file grow may be written on a full disk too'] = async (directory) => {
  const { room, bucket } = bucketWithRoom(directory);
  const { database, store: id } = await withStore(at(directory, { bucket }));
  if (!database.hasSnapshots) return;
  await storeMany(database, id, 100);
  await until(() => fs.statSync(fileOf(directory)).size > 5 * 2 ** 20, 'the records are in the file');
  room.left = -1;
  for (let turn = 0; turn < 3; turn++) await storeMany(database, id, 100);
  database.close();
};

logChecks['a small transaction does not ask how much room there is each time'] = async (directory) => {
  const { room, bucket } = bucketWithRoom(directory);
  const { database, store: id } = await withStore(at(directory, { bucket }));
  if (!database.hasSnapshots) return;
  room.left = 2 ** 30;
  await storeMany(database, id, 100);
  for (let n = 0; n < 200; n++) await store(database, id, 1000 + n, value(1000));
  assert(room.asked > 0 && room.asked < 100, `it was asked ${room.asked} times`);
  database.close();
};

logChecks['files that nothing mentions go at once where something is undone'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  if (!database.hasSnapshots) return;
  await store(database, id, 1, value(100_000));
  await erase(database, id, 1);
  assert.strictEqual(blobsIn(bucket).length, 1);
  database.write().rollback();
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.strictEqual(blobsIn(bucket).length, 0);
  database.close();
};
