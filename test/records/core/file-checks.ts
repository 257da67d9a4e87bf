import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { RealmHolds } from '../support/realm-holds.ts';
import { RecordsDamagedError } from '../../../src/disk/records/records-error.ts';
import { run } from '../support/databases.ts';
import { value, at, withStore, put, store, erase, get, load, content, directoryOf, blobsIn, textOf, untilGone, type Checks } from './checks.ts';

/** Of what becomes of files beside records. */
export const fileChecks: Checks = {};

fileChecks['a file goes when no record refers to it any more, and not before'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  const blob = await database.blobs.write(content('ab', 'cd'));
  assert.strictEqual(await textOf(blob), 'abcd');
  assert.strictEqual(blob.size, 4);
  await store(database, id, 1, value(5, [blob.id, blob.id]));
  await store(database, id, 2, value(5, [blob.id]));
  database.blobs.release(blob.id);
  await erase(database, id, 1);
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.deepStrictEqual({ ...database.blobs.file(blob.id), sealed: undefined }, { ...blob, sealed: undefined });
  const read = database.read();
  assert.deepStrictEqual(get(read, id, 2)?.value?.blobs, [blob.id]);
  read.rollback();
  await store(database, id, 2, value(6));
  await untilGone(bucket, database, id);
  assert.throws(() => database.blobs.file(blob.id), RecordsDamagedError);
};

fileChecks['a file stays as long as somebody holds it'] = async (bucket) => {
  const holds = new RealmHolds();
  const { database, store: id } = await withStore(at(bucket, { holds }));
  const blob = await database.blobs.write(content('held'));
  await store(database, id, 1, value(5, [blob.id]));
  const elsewhere = holds.hold('db', blob.id);
  await erase(database, id, 1);
  database.blobs.release(blob.id);
  await new Promise((resolve) => setTimeout(resolve, 400));
  if (!database.hasSnapshots) await store(database, id, 'other', value(3));
  assert.strictEqual(blobsIn(bucket).length, 1);
  database.blobs.hold(blob.id);
  elsewhere.release();
  database.blobs.release(blob.id);
  await untilGone(bucket, database, id);
};

fileChecks['the bucket may go while a file of a closed database is let go'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  const blob = await database.blobs.write(content('x'));
  await store(database, id, 1, value(5, [blob.id]));
  database.close();
  database.blobs.release(blob.id);
  fs.rmSync(bucket, { recursive: true });
  // What is left of deleted databases is looked for soon after; nobody could be told that there is nothing to look in.
  await new Promise((resolve) => setTimeout(resolve, 300));
};

fileChecks['a file that no transaction came to refer to goes when it is let go'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  const blob = await database.blobs.write(content('x'));
  const write = database.write();
  put(write, id, 1, value(5, [blob.id]));
  put(write, id, 2, value(100_000));
  write.rollback();
  database.blobs.release(blob.id);
  await untilGone(bucket, database, id);
};

fileChecks['clear() and deleteStore() let files go, also those of large values'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  const blob = await database.blobs.write(content('x'));
  for (let n = 0; n < 3; n++) await store(database, id, n, value(70_000, [blob.id]));
  database.blobs.release(blob.id);
  assert.strictEqual(blobsIn(bucket).length, 4);
  const write = database.write();
  run(write.clear(id));
  void write.commit('relaxed');
  await untilGone(bucket, database, id);
  await store(database, id, 1, value(70_000));
  const upgrade = database.upgrade();
  run(upgrade.deleteStore(id));
  const other = upgrade.createStore('t', null, false).id;
  void upgrade.commit('relaxed');
  await untilGone(bucket, database, other);
};

fileChecks['a snapshot goes on to read large values that have been replaced'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  if (!database.hasSnapshots) return;
  await store(database, id, 1, value(100_000, [], 1));
  const before = database.read();
  await store(database, id, 1, value(100_000, [], 2));
  await new Promise((resolve) => setTimeout(resolve, 500));
  assert.strictEqual((await load(before, id, 1))?.[99_999], 1);
  before.rollback();
  await untilGone(bucket, database, id, 1);
  const after = database.read();
  assert.strictEqual((await load(after, id, 1))?.[99_999], 2);
  after.rollback();
};

fileChecks['files of realms that have ended are found at open'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  await store(database, id, 1, value(100_000));
  fs.writeFileSync(path.join(directoryOf(bucket), 'blobs', '12345'), 'left');
  fs.writeFileSync(path.join(directoryOf(bucket), 'blobs', 'somebody else’s'), 'stays');
  database.close();
  const again = await at(bucket).open('db');
  assert(again);
  await untilGone(bucket, again, id, 2);
};
