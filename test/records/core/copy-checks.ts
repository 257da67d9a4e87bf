import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import type { SqliteDatabases } from '../../../src/disk/records/databases.ts';
import { driverNamed } from '../../../src/disk/records/drivers.ts';
import type { RecordDatabase } from '../../../src/disk/records/record-database.ts';
import { RecordsDamagedError } from '../../../src/disk/records/records-error.ts';
import type { DriverName } from '../../../src/disk/records/sql-driver.ts';
import { OverQuotaError, freeOfCharge } from '../../../src/disk/quota/ledger.ts';
import { isSealed, run } from '../support/databases.ts';
import { all, at, content, directoryOf, get, key, load, put, store, textOf, value, withStore, type Checks } from './checks.ts';

/** Of copies as of one moment, and of what becomes of them. */
export const copyChecks: Checks = {};

const COUNT = 3000;

async function filled(databases: SqliteDatabases): Promise<{ database: RecordDatabase; store: number; index: number }> {
  const { database, store: id } = await withStore(databases);
  const blob = await database.blobs.write(content('the blob'));
  const upgrade = database.upgrade();
  const index = upgrade.createIndex(id, { name: 'i', keyPath: 'x', unique: true, multiEntry: false }).id;
  for (let n = 0; n < COUNT; n++) upgrade.put({ store: id, key: key(n), value: value(100, [], 0), indexKeys: [{ index, keys: [key(`k${n}`)] }], overwrite: true });
  put(upgrade, id, 'large', value(100_000, [blob.id], 5));
  await upgrade.commit('relaxed');
  database.blobs.release(blob.id);
  return { database, store: id, index };
}

/** Writes the same to all records, again and again, until it is to stop. */
async function rewrite(database: RecordDatabase, id: number, isOver: () => boolean): Promise<number> {
  for (let turn = 1; ; turn++) {
    const write = database.write();
    for (let n = 0; n < 20; n++) put(write, id, n * 149, value(100, [], turn % 256));
    await write.commit('relaxed');
    await new Promise((resolve) => setImmediate(resolve));
    if (isOver()) return turn;
  }
}

copyChecks['a copy is of one moment, while writers go on'] = async (bucket) => {
  const databases = at(bucket);
  const { database, store: id, index } = await filled(databases);
  let isOver = false;
  const writing = database.hasSnapshots ? rewrite(database, id, () => isOver) : Promise.resolve(2);
  const other = path.join(bucket, 'other');
  fs.mkdirSync(other);
  const copying = databases.copyTo('db', path.join(other, 'copy')).finally(() => (isOver = true));
  if (database.hasSnapshots) await store(database, id, 'later', value(3));
  assert.deepStrictEqual(await copying, { missing: [] });
  assert((await writing) > 1);
  await store(database, id, 'afterwards', value(3));
  const elsewhere = at(other);
  assert.strictEqual(await elsewhere.adopt(path.join(other, 'copy')), 'db');
  const copy = await elsewhere.open('db');
  assert(copy);
  await expectWhole(copy, id, index);
  await store(copy, id, 'goes on', value(70_000));
  copy.close();
};

async function expectWhole(copy: RecordDatabase, id: number, index: number): Promise<void> {
  const read = copy.read();
  const written = Array.from({ length: 20 }, (_, nth) => get(read, id, nth * 149)?.value?.bytes[0]);
  assert.strictEqual(new Set(written).size, 1, `${written.join()}`);
  assert.strictEqual(run(read.count({ ...all, store: id, values: false })) - Number(get(read, id, 'later') !== undefined), COUNT + 1);
  assert.strictEqual(run(read.count({ ...all, store: id, index, values: false })), COUNT - (written[0] === 0 ? 0 : 20));
  assert.strictEqual(get(read, id, 'afterwards'), undefined);
  assert.strictEqual((await load(read, id, 'large'))?.[99_999], 5);
  const [blob = 0] = get(read, id, 'large')?.value?.blobs ?? [];
  assert.strictEqual(await textOf(copy.blobs.file(blob)), 'the blob');
  assert.strictEqual(read.schema.version, 1);
  read.rollback();
}

copyChecks['a copy keeps its files when the original has gone, and is as the runtime needs it'] = async (bucket) => {
  const databases = at(bucket);
  const { database, store: id, index } = await filled(databases);
  database.close();
  assert(await databases.copyTo('db', path.join(bucket, 'copy')));
  await databases.delete('db');
  const drivers: DriverName[] = ['wasm', process.env.DRIVER === 'wasm' || isSealed ? 'wasm' : 'built-in'];
  for (const [nth, driver] of drivers.entries()) {
    const other = path.join(bucket, `${nth}`);
    const elsewhere = at(other, { driverForNew: () => driverNamed(driver) });
    await elsewhere.adopt(path.join(bucket, 'copy'));
    const copy = await elsewhere.open('db');
    assert(copy);
    assert.strictEqual(copy.hasSnapshots, driver === 'built-in');
    await expectWhole(copy, id, index);
    copy.close();
    await elsewhere.copyTo('db', path.join(bucket, 'copy'));
  }
};

copyChecks['what is missing, or none, is told, and nothing is left of what fails'] = async (bucket) => {
  const databases = at(bucket);
  const { database, store: id } = await filled(databases);
  const read = database.read();
  const [lost = 0] = get(read, id, 'large')?.value?.blobs ?? [];
  read.rollback();
  fs.rmSync(database.blobs.file(lost).path);
  assert.deepStrictEqual(await databases.copyTo('db', path.join(bucket, 'copy')), { missing: [lost] });
  assert.strictEqual(await databases.copyTo('never there', path.join(bucket, 'none')), null);
  assert.strictEqual(fs.existsSync(path.join(bucket, 'none')), false);
  await assert.rejects(databases.copyTo('db', path.join(bucket, 'copy')), { code: 'EEXIST' });
  await assert.rejects(databases.adopt(path.join(bucket, 'copy')), /already/);
  await assert.rejects(databases.adopt(directoryOf(bucket, '..')), RecordsDamagedError);
  const full = at(path.join(bucket, 'full'), { ledger: { ...freeOfCharge, charge: (bytes) => { throw new OverQuotaError('full', 0, bytes); } } });
  await assert.rejects(full.adopt(path.join(bucket, 'copy')), OverQuotaError);
  assert(fs.existsSync(path.join(bucket, 'copy', 'database.json')));
  fs.truncateSync(path.join(bucket, 'copy', 'db'), 100);
  await assert.rejects(at(path.join(bucket, 'other')).adopt(path.join(bucket, 'copy')), RecordsDamagedError);
};
