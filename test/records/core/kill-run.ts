import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { driverNamed } from '../../../src/disk/records/drivers.ts';
import { encodeKey, type EncodedKey } from '../../../src/disk/records/key.ts';
import type { Query, RecordDatabase, WriteTransaction } from '../../../src/disk/records/record-database.ts';
import type { DriverName } from '../../../src/disk/records/sql-driver.ts';
import { bytesOf, handleCalls, isChange, isWrite, type Call, type Fault } from '../../crash/support/fault-layer.ts';
import { textOf } from './checks.ts';
import { componentOf, databasesAt, isSealed, run, sealedDriver } from '../support/databases.ts';

/*
 * Carries out steps on a database, each one transaction, and is killed somewhere: by itself at one of its calls of `fs`,
 * or by whoever listens at descriptor 3. Or examines what is there: it must be what some number of steps leave.
 */

const { BUCKET = '', DRIVER = 'built-in', KILL = 'null', EXAMINE, STEPS = '24', FILL = '0' } = process.env;
const killPoint = JSON.parse(KILL) as { readonly call: number; readonly when: 'before' | 'within' | 'after' } | null;

const key = (value: unknown): EncodedKey => encodeKey(value) as EncodedKey;
const COUNTER = key('steps');
const LARGE = 70_000;
/** Records that every step writes anew, so that its commit is followed by a checkpoint. */
const FILLERS = Number(FILL);
const FILLER = 60_000;

/** What a step leaves at its number, until a later one deletes it. */
const sizeAt = (step: number): number => (step % 3 === 0 ? LARGE : 100 + step);
const hasBlob = (step: number): boolean => step % 4 === 1;
/** The step whose record goes with this one; 0: none. */
const deletedBy = (step: number): number => (step % 2 === 0 && step > 4 ? step - 4 : 0);
const deletesIndex = (step: number): boolean => step % 8 === 7;
const makesIndex = (step: number): boolean => step === 1 || step % 8 === 0;

let calls = 0;
let last: Call | null = null;

const die = (): void => void process.kill(process.pid, 'SIGKILL');

function before(call: Call): Fault | undefined {
  if (!isChange(call)) return undefined;
  calls += 1;
  if (calls - 1 !== killPoint?.call) return undefined;
  if (killPoint.when === 'before') die();
  last = call;
  return killPoint.when === 'within' && isWrite(call) ? { bytes: partOf(call) } : undefined;
}

/** Half of a write. A kill leaves the pages of the kernel whole, on which what is encrypted relies. */
function partOf(call: Call): number {
  const half = Math.floor(bytesOf(call) / 2);
  if (!isSealed) return half;
  const position = Number(call.parameters[4] ?? 0);
  return Math.max(0, Math.floor((position + half) / 4096) * 4096 - position);
}

function after(call: Call): void {
  if (call === last) die();
}

const databases = databasesAt(BUCKET, { driverForNew: () => driverNamed(DRIVER as DriverName) });

async function* content(step: number): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(Buffer.from(`blob of ${step}`));
}

async function work(): Promise<void> {
  const database = (await databases.open('db')) ?? (await databases.create('db'));
  for (let step = stepsOf(database) + 1; step <= Number(STEPS); step++) {
    await take(database, step);
    fs.writeSync(3, `${step}\n`);
  }
  database.close();
  fs.writeSync(3, `calls ${calls}\n`);
}

async function take(database: RecordDatabase, step: number): Promise<void> {
  const blob = hasBlob(step) ? await database.blobs.write(content(step)) : null;
  const write = step === 1 || deletesIndex(step) || makesIndex(step) ? upgrade(database, step) : database.write();
  const store = write.schema.stores[0];
  assert(store);
  const bytes = new Uint8Array(sizeAt(step)).fill(step);
  const indexKeys = store.indexes.map(({ id }) => ({ index: id, keys: [key(`at ${step}`)] }));
  assert.strictEqual(write.put({ store: store.id, key: key(step), value: { bytes, blobs: blob === null ? [] : [blob.id] }, indexKeys, overwrite: true }), null);
  write.put({ store: store.id, key: COUNTER, value: { bytes: Uint8Array.of(step), blobs: [] }, indexKeys: [], overwrite: true });
  for (let n = 0; n < FILLERS; n++) write.put({ store: store.id, key: key(`filler ${n}`), value: { bytes: new Uint8Array(FILLER).fill(step), blobs: [] }, indexKeys: [], overwrite: true });
  const gone = deletedBy(step);
  if (gone > 0) run(write.delete(store.id, { lower: key(gone), upper: key(gone), lowerOpen: false, upperOpen: false }));
  await write.commit(step % 5 === 0 ? 'strict' : 'relaxed');
  if (blob !== null) database.blobs.release(blob.id);
}

function upgrade(database: RecordDatabase, step: number): WriteTransaction {
  const transaction = database.upgrade();
  if (step === 1) transaction.createStore('s', null, false);
  const store = transaction.schema.stores[0];
  assert(store);
  const index = store.indexes[0];
  if (deletesIndex(step) && index !== undefined) run(transaction.deleteIndex(store.id, index.id));
  if (makesIndex(step)) {
    const { id } = transaction.createIndex(store.id, { name: 'i', keyPath: 'x', unique: true, multiEntry: false });
    for (let other = 1; other < step; other++) if (isThere(other, step - 1)) transaction.fillIndex(store.id, key(other), { index: id, keys: [key(`at ${other}`)] });
  }
  transaction.setVersion(step);
  return transaction;
}

function isThere(record: number, steps: number): boolean {
  for (let step = record + 1; step <= steps; step++) if (deletedBy(step) === record) return false;
  return true;
}

function stepsOf(database: RecordDatabase): number {
  const read = database.read();
  const [store] = read.schema.stores;
  const found = store && read.first({ store: store.id, index: null, range: { lower: COUNTER, upper: COUNTER, lowerOpen: false, upperOpen: false }, direction: 'next', values: true });
  read.rollback();
  return found?.value?.bytes[0] ?? 0;
}

async function examine(): Promise<void> {
  const database = await databases.open('db');
  const steps = database === null ? 0 : stepsOf(database);
  if (database !== null && steps > 0) await examineRecords(database, steps);
  if (database !== null) {
    await examineFiles(database, steps);
    database.close();
    await checkIntegrity();
  }
  console.log(`steps ${steps}`);
}

async function examineRecords(database: RecordDatabase, steps: number): Promise<void> {
  const read = database.read();
  const store = read.schema.stores[0];
  assert(store);
  const there = Array.from({ length: steps }, (_, nth) => nth + 1).filter((step) => isThere(step, steps));
  for (const step of there) {
    const at = key(step);
    const found = read.first({ store: store.id, index: null, range: { lower: at, upper: at, lowerOpen: false, upperOpen: false }, direction: 'next', values: true });
    assert(found?.value, `the record of step ${step} is missing`);
    const { bytes } = (await read.load(found.value)) ?? found.value;
    assert(bytes.length === sizeAt(step) && bytes.every((byte) => byte === step), `the record of step ${step} is another`);
    assert.strictEqual(found.value.blobs.length, Number(hasBlob(step)));
    for (const id of found.value.blobs) assert.strictEqual(await textOf(database.blobs.file(id)), `blob of ${step}`);
  }
  for (let n = 0; n < FILLERS; n++) {
    const at = key(`filler ${n}`);
    const found = read.first({ store: store.id, index: null, range: { lower: at, upper: at, lowerOpen: false, upperOpen: false }, direction: 'next', values: true });
    assert(found?.value?.bytes.every((byte) => byte === steps) === true, `filler ${n} is not of step ${steps}`);
  }
  const whole: Query = { store: store.id, index: null, range: null, direction: 'next', values: false };
  assert.strictEqual(run(read.count(whole)), there.length + 1 + FILLERS);
  const hasIndex = steps % 8 !== 7;
  assert.strictEqual(store.indexes.length, Number(hasIndex));
  for (const { id } of store.indexes) assert.strictEqual(run(read.count({ ...whole, index: id })), there.length);
  read.rollback();
}

/** In the end there are those that records refer to, and no others. */
async function examineFiles(database: RecordDatabase, steps: number): Promise<void> {
  const wanted = Array.from({ length: steps }, (_, nth) => nth + 1)
    .filter((step) => isThere(step, steps))
    .reduce((sum, step) => sum + Number(hasBlob(step)) + Number(sizeAt(step) === LARGE), 0);
  const directory = path.join(BUCKET, 'indexeddb/databases', componentOf('db'), 'blobs');
  for (let waited = 0; fs.readdirSync(directory).length !== wanted; waited += 20) {
    assert(waited < 20_000, `there are ${fs.readdirSync(directory).length} files, not ${wanted}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (!database.hasSnapshots) void database.write().commit('relaxed');
  }
}

async function checkIntegrity(): Promise<void> {
  const driver = (await sealedDriver('db')) ?? (await driverNamed(DRIVER as DriverName));
  const connection = driver.open(path.join(BUCKET, 'indexeddb/databases', componentOf('db'), 'db'), 'existing', (_code, cause) => new Error('integrity', { cause }));
  assert.deepStrictEqual(connection.prepare('PRAGMA integrity_check').all(), [['ok']]);
  connection.close();
}

if (EXAMINE !== undefined) await examine();
else {
  if (killPoint !== null) handleCalls(BUCKET, { before, after });
  else if (process.env.COUNT !== undefined) handleCalls(BUCKET, { before });
  await work();
}
process.exit();
