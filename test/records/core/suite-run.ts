import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../../src/runtime/holdfast-error.ts';
import type { SqliteDatabases } from '../../../src/disk/records/databases.ts';
import type { Query, ReadTransaction, RecordDatabase, Steps } from '../../../src/disk/records/record-database.ts';
import { RecordsBusyError, RecordsDamagedError, RecordsUnavailableError } from '../../../src/disk/records/records-error.ts';
import { componentOf, isSealed, newBucket, run } from '../support/databases.ts';
import { key, only, value, at, all, withStore, put, store, get, until, directoryOf, type Checks } from './checks.ts';
import { accountChecks } from './account-checks.ts';
import { copyChecks } from './copy-checks.ts';
import { fileChecks } from './file-checks.ts';
import { logChecks } from './log-checks.ts';

/*
 * What databases do beside holding records, on whatever driver the runtime has. Each check has a bucket of its own.
 */

const checks: Checks = {};

checks['any string is a name'] = async (bucket) => {
  const names = ['', 'locks', 'wake', '.new-x', '.', '..', 'a/b', '\ud800', '\udfff\ud800', 'x'.repeat(5000), 'CON', '日本', '\0', '%~', '.hidden'];
  const databases = at(bucket);
  for (const [version, name] of names.entries()) {
    const database = await databases.create(name);
    const upgrade = database.upgrade();
    upgrade.setVersion(version + 1);
    void upgrade.commit('relaxed');
    assert.strictEqual(database.name, name);
    if (version % 2 === 0) database.close();
  }
  const listed = await databases.list();
  assert.deepStrictEqual(new Set(listed.map(({ name }) => name)), new Set(names));
  for (const { name, version } of await at(bucket).list()) assert.strictEqual(names[version - 1], name);
  for (const name of names) await databases.delete(name);
  assert.deepStrictEqual(await databases.list(), []);
  await until(() => fs.readdirSync(path.dirname(directoryOf(bucket))).length === 0, 'all of them are gone');
  await databases.delete('never there');
};

checks['everything is for its owner only'] = async (bucket) => {
  const umask = process.umask(0);
  const { database, store: id } = await withStore(at(bucket));
  await store(database, id, 1, value(100_000));
  const open = fs.readdirSync(path.join(bucket, 'indexeddb'), { recursive: true, withFileTypes: true });
  for (const entry of open) {
    const { mode } = fs.statSync(path.join(entry.parentPath, entry.name));
    assert.strictEqual(mode & 0o777, entry.isDirectory() ? 0o700 : 0o600, entry.name);
  }
  process.umask(umask);
};

checks['no symbolic link is followed'] = async (bucket) => {
  const elsewhere = path.join(bucket, 'elsewhere');
  for (const name of ['db', 'database.json', '']) {
    const databases = at(bucket);
    const { database } = await withStore(databases, `l${name}`);
    database.close();
    const target = path.join(directoryOf(bucket, `l${name.replaceAll('/', '')}`), name);
    fs.rmSync(elsewhere, { recursive: true, force: true });
    fs.renameSync(target, elsewhere);
    fs.symlinkSync(elsewhere, target.replace(/\/$/, ''));
    await assert.rejects(at(bucket).open(`l${name}`), RecordsDamagedError, name);
    fs.unlinkSync(target.replace(/\/$/, ''));
  }
};

checks['a root that can have none says why'] = async (bucket) => {
  const databases = at(bucket, { refusal: 'a network disk' });
  await assert.rejects(databases.create('db'), (error) => error instanceof RecordsUnavailableError && error.message === 'a network disk');
  await assert.rejects(databases.open('db'), RecordsUnavailableError);
  assert.strictEqual(fs.existsSync(path.join(bucket, 'indexeddb')), false);
};

checks['what is damaged says so, and others go on'] = async (bucket) => {
  const databases = at(bucket);
  const { database: other, store: id } = await withStore(databases, 'other');
  const damages: Record<string, (directory: string) => void> = {
    cut: (at) => fs.truncateSync(path.join(at, 'db'), 5000),
    empty: (at) => fs.truncateSync(path.join(at, 'db'), 0),
    header: (at) => fs.writeFileSync(path.join(at, 'db'), 'not a database'.padEnd(20_000, 'x')),
    missing: (at) => fs.rmSync(path.join(at, 'db')),
    unnamed: (at) => fs.rmSync(path.join(at, 'database.json')),
    misnamed: (at) => fs.writeFileSync(path.join(at, 'database.json'), '{"name":"other","driver":"built-in"}'),
    nonsense: (at) => fs.writeFileSync(path.join(at, 'database.json'), '{"name":5'),
  };
  for (const [name, damage] of Object.entries(damages)) {
    const { database } = await withStore(databases, name);
    database.close();
    damage(directoryOf(bucket, name));
    await assert.rejects(async () => (await databases.open(name))?.readSchema(), (error) => error instanceof RecordsDamagedError && error.message.includes(`databases/${componentOf(name)}`), name);
  }
  await store(other, id, 1, value(3));
  await databases.delete('header');
  assert.strictEqual(await databases.open('header'), null);
};

checks['bits that flip end in an error of ours, or go unseen'] = async (bucket) => {
  const databases = at(bucket);
  const { database, store: id } = await withStore(databases);
  const upgrade = database.upgrade();
  const index = upgrade.createIndex(id, { name: 'i', keyPath: 'x', unique: true, multiEntry: false }).id;
  for (let n = 0; n < 60; n++) upgrade.put({ store: id, key: key(n), value: value(300, [], n), indexKeys: [{ index, keys: [key(`k${n}`)] }], overwrite: true });
  void upgrade.commit('relaxed');
  database.close();
  const file = path.join(directoryOf(bucket), 'db');
  const whole = fs.readFileSync(file);
  let seed = Number(process.env.SEED ?? Date.now() % 100_000);
  const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
  for (let turn = 0; turn < 150; turn++) {
    const bytes = Buffer.from(whole);
    for (let flips = random(4); flips >= 0; flips--) bytes[random(bytes.length)] = random(256);
    fs.writeFileSync(file, bytes);
    fs.rmSync(`${file}-wal`, { force: true });
    fs.rmSync(`${file}-shm`, { force: true });
    fs.rmSync(`${file}-journal`, { force: true });
    await useDamaged(databases, id, index);
  }
};

function readAll(read: ReadTransaction, id: number, indexes: readonly (number | null)[]): void {
  for (const index of indexes) {
    const scan = read.scan({ ...all, store: id, index });
    while (scan.next() !== undefined);
    run(read.count({ ...all, store: id, index, values: false }));
  }
}

async function useDamaged(databases: SqliteDatabases, id: number, index: number): Promise<void> {
  let database: RecordDatabase | null = null;
  try {
    database = await databases.open('db');
    assert(database);
    const read = database.read();
    try {
      readAll(read, id, [null, index]);
    } finally {
      read.rollback();
    }
    const write = database.write();
    put(write, id, 5, value(400));
    run(write.delete(id, { lower: key(10), upper: key(20), lowerOpen: false, upperOpen: false }));
    run(write.clear(id));
    await write.commit('strict');
  } catch (error) {
    const isOurs = error instanceof RecordsDamagedError || (error instanceof HoldfastError && error.code === 'root-newer') || (error instanceof Error && error.message.startsWith('There is no store'));
    assert(isOurs, error instanceof Error ? error.stack : String(error));
  } finally {
    database?.close();
  }
}

checks['a newer schema is refused by name'] = async (bucket) => {
  const { database } = await withStore(at(bucket));
  database.close();
  const file = path.join(directoryOf(bucket), 'db');
  const bytes = fs.readFileSync(file);
  bytes.writeUInt32BE(2, 60); // https://www.sqlite.org/fileformat.html#user_version_number
  fs.writeFileSync(file, bytes);
  if (isSealed) return await assert.rejects(at(bucket).open('db'), RecordsDamagedError);
  await assert.rejects(at(bucket).open('db'), (error) => error instanceof HoldfastError && error.code === 'root-newer');
};

checks['two realms see what the other commits, and never write at once'] = async (bucket) => {
  const { database: one, store: id } = await withStore(at(bucket));
  const other = await at(bucket).open('db');
  assert(other);
  if (!one.hasSnapshots) return;
  const write = one.write();
  put(write, id, 1, value(3));
  assert.throws(() => other.write(), RecordsBusyError);
  const before = other.read();
  assert.strictEqual(get(before, id, 1), undefined);
  write.raiseKeyGenerator(id, 9);
  void write.commit('relaxed');
  assert.strictEqual(get(before, id, 1), undefined);
  const after = other.read();
  assert(get(after, id, 1));
  before.rollback();
  after.rollback();
  const second = other.write();
  assert.strictEqual(second.generateKey(id), 10);
  second.rollback();
  const upgrade = other.upgrade();
  const store2 = upgrade.createStore('t', 'p', false).id;
  upgrade.setVersion(7);
  void upgrade.commit('relaxed');
  assert.deepStrictEqual((await one.readSchema()).stores.map(({ name, keyPath }) => [name, keyPath]), [['s', null], ['t', 'p']]);
  assert.strictEqual((await one.readSchema()).version, 7);
  await store(one, store2, 1, value(3));
};

checks['an upgrade that is undone leaves no trace'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  await store(database, id, 1, value(3));
  const upgrade = database.upgrade();
  run(upgrade.deleteStore(id));
  const other = upgrade.createStore('t', null, false).id;
  put(upgrade, other, 1, value(3));
  upgrade.setVersion(5);
  upgrade.rollback();
  assert.deepStrictEqual(await database.readSchema(), { version: 1, stores: [{ id, name: 's', keyPath: null, autoIncrement: true, indexes: [] }] });
  const read = database.read();
  assert(get(read, id, 1));
  read.rollback();
  await store(database, id, 2, value(3));
};

checks['a record that is replaced may keep its key of a unique index, and no other may take it'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  const upgrade = database.upgrade();
  const index = upgrade.createIndex(id, { name: 'i', keyPath: 'x', unique: true, multiEntry: false }).id;
  const putAt = (n: number) => upgrade.put({ store: id, key: key(n), value: value(9), indexKeys: [{ index, keys: [key('same')] }], overwrite: true });
  assert.deepStrictEqual([putAt(1), putAt(1), putAt(2)], [null, null, { constraint: 'index', index }]);
  upgrade.rollback();
};

checks['many who read at once share connections'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  await store(database, id, 1, value(3));
  const descriptors = (): number => fs.readdirSync('/proc/self/fd').length;
  const before = process.platform === 'linux' ? descriptors() : 0;
  const reads = Array.from({ length: 100 }, () => database.read());
  for (const read of reads) assert(get(read, id, 1));
  if (process.platform === 'linux') assert(descriptors() - before < 10);
  for (const read of reads) read.rollback();
};

checks['of very many databases some are given up until they are used again'] = async (bucket) => {
  const databases = at(bucket);
  const all: { database: RecordDatabase; store: number }[] = [];
  for (let n = 0; n < 150; n++) all.push(await withStore(databases, `d${n}`));
  for (let turn = 0; turn < 2; turn++) {
    for (const { database, store: id } of all) await store(database, id, turn, value(turn + 1));
    if (process.platform === 'linux') assert(connectedBelow(bucket) <= 128, `${connectedBelow(bucket)} are connected`);
  }
  const open = all.map(({ database, store: id }) => ({ id, read: database.read() }));
  for (const { id, read } of open) assert.deepStrictEqual([0, 1].map((n) => get(read, id, n)?.value?.bytes.length), [1, 2]);
  for (const { read } of open) read.rollback();
  for (const { database } of all) database.close();
  if (process.platform === 'linux') assert.strictEqual(connectedBelow(bucket), 0);
};

/** Databases whose file this process has open. */
function connectedBelow(bucket: string): number {
  const files = fs.readdirSync('/proc/self/fd').map(targetOf);
  return new Set(files.filter((file) => file.startsWith(bucket) && file.endsWith('/db'))).size;
}

/** The listing had a descriptor itself, which is gone by now. */
function targetOf(descriptor: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

checks['work in steps can be interrupted anywhere'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  const write = database.write();
  for (let n = 0; n < 12_000; n++) put(write, id, n, value(10));
  const steps = write.count({ ...all, store: id, values: false } as Query);
  let paused = 0;
  let step = steps.next();
  for (; step.done !== true; step = steps.next()) paused += 1;
  assert.strictEqual(step.value, 12_000);
  assert(paused >= 1);
  const deleting = write.delete(id, { lower: key(10), upper: key(11_989), lowerOpen: false, upperOpen: false });
  let parts = 0;
  while (deleting.next().done !== true) parts += 1;
  assert(parts > 50);
  assert.strictEqual(run(write.count({ ...all, store: id, values: false } as Query)), 20);
  void write.commit('relaxed');
};

checks['what empties a large store takes few records at a time'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  const upgrade = database.upgrade();
  const indexes = ['i', 'j'].map((name) => upgrade.createIndex(id, { name, keyPath: 'x', unique: false, multiEntry: false }).id);
  const fill = (): void => {
    for (let n = 0; n < 2000; n++) upgrade.put({ store: id, key: key(n), value: value(10), indexKeys: indexes.map((index) => ({ index, keys: [key(n % 7)] })), overwrite: true });
  };
  const left = (index: number | null): number => run(upgrade.count({ ...all, store: id, index, values: false }));
  const expectFew = (steps: Steps<void>, counted: readonly (number | null)[]): void => {
    const before = counted.map(left);
    for (let parts = 1; steps.next().done !== true; parts++) {
      for (const [nth, index] of counted.entries()) assert((before[nth] ?? 0) - left(index) <= parts * 128, `${left(index)} are left after ${parts} steps`);
    }
  };
  fill();
  expectFew(upgrade.clear(id), [null, ...indexes]);
  assert.deepStrictEqual([null, ...indexes].map(left), [0, 0, 0]);
  fill();
  expectFew(upgrade.delete(id, { lower: null, upper: null, lowerOpen: false, upperOpen: false }), [null, ...indexes]);
  fill();
  expectSteps(upgrade.deleteIndex(id, indexes[1] ?? 0), 15);
  expectSteps(upgrade.deleteStore(id), 30);
  await upgrade.commit('relaxed');
};

function expectSteps(steps: Steps<void>, count: number): void {
  let taken = 0;
  while (steps.next().done !== true) taken += 1;
  assert(taken >= count, `${taken} steps`);
}

checks['who has a connection reads by the schema that there is after an upgrade'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  const before = database.read(true);
  assert.deepStrictEqual(before.schema.stores.map((each) => each.indexes.length), [0]);
  const during = database.hasSnapshots ? database.read(true) : before;
  before.rollback();
  const upgrade = database.upgrade();
  const index = upgrade.createIndex(id, { name: 'i', keyPath: 'x', unique: false, multiEntry: false }).id;
  upgrade.put({ store: id, key: key(1), value: value(1), indexKeys: [{ index, keys: [key('a')] }], overwrite: true });
  await upgrade.commit('relaxed');
  during.rollback();
  requireIndexes(database, 1);
  if (!database.hasSnapshots) return;
  const elsewhere = (await at(bucket).open('db'))?.upgrade();
  elsewhere?.createIndex(id, { name: 'j', keyPath: 'y', unique: false, multiEntry: false });
  await elsewhere?.commit('relaxed');
  // As whoever opens it does.
  await database.readSchema();
  requireIndexes(database, 2);
};

checks['a value that is asked for alone has the bytes that were given, however many and of whatever kind'] = async (bucket) => {
  const { database, store: id } = await withStore(at(bucket));
  const bytesOf = (length: number): Uint8Array => Uint8Array.from({ length }, (_, at) => at * 89 + length);
  const lengths = [1, 2, 127, 128, 255, 256, 257, 511, 512, 513, 70_000];
  for (const length of lengths) await store(database, id, length, { bytes: bytesOf(length), blobs: [] });
  const read = database.read();
  for (const length of lengths) {
    const found = read.value({ ...all, store: id, range: only(key(length)) });
    assert(found !== undefined);
    assert.deepStrictEqual(Uint8Array.from(((await read.load(found)) ?? found).bytes), bytesOf(length));
  }
  assert.strictEqual(read.value({ ...all, store: id, range: only(key('none')) }), undefined);
  read.rollback();
};

/** Of its only store, by as many sessions as were ever open at once. */
function requireIndexes(database: RecordDatabase, count: number): void {
  const readers = [database.read(true), database.read(true)];
  for (const { schema } of readers) assert.deepStrictEqual(schema.stores.map(({ indexes }) => indexes.length), [count]);
  for (const reader of readers) reader.rollback();
}

for (const [name, check] of Object.entries({ ...fileChecks, ...copyChecks, ...logChecks, ...checks, ...accountChecks })) {
  if (process.env.CHECK !== undefined && !name.includes(process.env.CHECK)) continue;
  const bucket = newBucket();
  try {
    await check(bucket);
    console.log(`ok ${name}`);
  } catch (error) {
    console.log(`not ok ${name}\n${error instanceof Error ? error.stack : String(error)}`);
    process.exitCode = 1;
  } finally {
    fs.rmSync(bucket, { recursive: true, force: true });
  }
}
process.exit();
