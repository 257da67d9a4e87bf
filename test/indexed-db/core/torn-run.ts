import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { createFactory, endFactory } from '../../../src/indexed-db/index.ts';
import type { IDBDatabase } from '../../../src/indexed-db/database.ts';
import { driverNamed } from '../../../src/disk/records/drivers.ts';
import { newBucket, placeAt } from '../support/place.ts';
import { ended, opened, result } from '../support/promises.ts';

/*
 * Cuts the write-ahead log of a database at every frame and within frames, and damages it there: what is read then is
 * what some number of transactions left, each whole; it can be written to, and is sound. The same where the log was written
 * over, and the disk has kept what was there before.
 */

const HEADER = 32;
const FRAME = 4096 + 24;
const TRANSACTIONS = 12;
const RECORDS = 6;
/** Which write over those of the others. */
const MORE = 3;

const fileOf = (bucket: string, name: string, file: string): string => path.join(bucket, 'indexeddb', 'databases', name, file);

/** Each transaction writes its number to all records. */
async function write(db: IDBDatabase, number: number): Promise<void> {
  const transaction = db.transaction('s', 'readwrite');
  for (let record = 0; record < RECORDS; record++) transaction.objectStore('s').put({ number, text: 'x'.repeat(2000 + 37 * number) }, record);
  assert.equal(await ended(transaction), 'complete');
}

const { open } = await driverNamed('built-in');

function bringOver(file: string): void {
  const connection = open(file, 'existing', (_, cause) => new Error('it cannot be brought over', { cause }));
  assert.equal(connection.prepare('PRAGMA wal_checkpoint(PASSIVE)').get()?.[0], 0);
  connection.close();
}

function present(): { db: Uint8Array; log: Uint8Array } {
  return { db: fs.readFileSync(fileOf(bucket, 'torn', 'db')), log: fs.readFileSync(fileOf(bucket, 'torn', 'db-wal')) };
}

const bucket = newBucket();
const place = placeAt(bucket);
const factory = createFactory(place);
const db = await opened(factory, 'torn', (made) => made.createObjectStore('s').createIndex('n', 'number'));
for (let number = 1; number <= TRANSACTIONS; number++) await write(db, number);
const whole = present();
bringOver(fileOf(bucket, 'torn', 'db'));
const { db: brought } = present();
for (let number = TRANSACTIONS + 1; number <= TRANSACTIONS + MORE; number++) await write(db, number);
const over = { db: brought, log: present().log };
await endFactory(factory);
await place.close();
fs.rmSync(bucket, { recursive: true, force: true });
const frames = Math.floor((whole.log.length - HEADER) / FRAME);
assert(frames > 2 * TRANSACTIONS);

/** What a newcomer finds; all of it is looked at. */
async function stateOf(log: Uint8Array, file = whole.db): Promise<number> {
  const trial = newBucket();
  const there = placeAt(trial);
  const newcomer = createFactory(there);
  try {
    for (const name of ['torn', 'other']) (await opened(newcomer, name, (made) => made.createObjectStore('s'))).close();
    fs.rmSync(fileOf(trial, 'torn', 'db-wal'), { force: true });
    fs.rmSync(fileOf(trial, 'torn', 'db-shm'), { force: true });
    fs.writeFileSync(fileOf(trial, 'torn', 'db'), file);
    fs.writeFileSync(fileOf(trial, 'torn', 'db-wal'), log);
    const torn = await result<IDBDatabase>(newcomer.open('torn'));
    const found = torn.objectStoreNames.contains('s') ? await numbersIn(torn) : [0];
    assert.equal(new Set(found).size, 1, found.join());
    if (torn.objectStoreNames.contains('s')) await write(torn, 99);
    torn.close();
    await write(await result<IDBDatabase>(newcomer.open('other')), 1);
    await endFactory(newcomer);
    await there.close();
    requireSound(fileOf(trial, 'torn', 'db'));
    return found[0] ?? 0;
  } finally {
    await endFactory(newcomer);
    await there.close();
    fs.rmSync(trial, { recursive: true, force: true });
  }
}

async function numbersIn(torn: IDBDatabase): Promise<number[]> {
  const store = torn.transaction('s').objectStore('s');
  const [values, entries] = await Promise.all([result<{ number: number; text: string }[]>(store.getAll()), result<number>(store.index('n').count())]);
  assert.equal(values.length, entries);
  assert([0, RECORDS].includes(values.length), `${values.length} records`);
  for (const { number, text } of values) assert.equal(text.length, 2000 + 37 * number);
  return values.length === 0 ? [0] : values.map(({ number }) => number);
}

function requireSound(file: string): void {
  const connection = open(file, 'existing', (_, cause) => new Error('it is not sound', { cause }));
  assert.deepEqual(connection.prepare('PRAGMA integrity_check').all(), [['ok']]);
  connection.close();
}

function damaged(at: number): Uint8Array {
  const log = Buffer.from(whole.log);
  log[at] = (log[at] ?? 0) ^ 0xff;
  return log;
}

const states = new Set<number>();
let trials = 0;
let last = 0;
for (let frame = 0; frame <= frames; frame++) {
  const at = HEADER + frame * FRAME;
  const cut = await stateOf(whole.log.subarray(0, at));
  assert(cut >= last, `less is left of a longer log: ${cut} after ${last}`);
  last = cut;
  states.add(cut);
  // Within a frame, and in its head or page.
  const others = frame === frames ? [] : [whole.log.subarray(0, at + 10), whole.log.subarray(0, at + 2000), damaged(at + 6), damaged(at + 20), damaged(at + 24 + ((frame * 997) % 4096))];
  for (const log of frame % 9 === 0 ? others : others.slice(frame % others.length, (frame % others.length) + 1)) {
    assert.equal(await stateOf(log), cut, `frame ${frame}`);
    trials += 1;
  }
  trials += 1;
}
for (const log of [damaged(3), damaged(20), new Uint8Array(0), whole.log.subarray(0, 20)]) assert((await stateOf(log)) <= last);
assert.equal(last, TRANSACTIONS);
assert(states.size > TRANSACTIONS);

assert(over.log.length === whole.log.length && over.log.subarray(16, 24).join() !== whole.log.subarray(16, 24).join(), 'it was not written over');
assert.equal(await stateOf(whole.log, over.db), last);
for (let at = HEADER; last < TRANSACTIONS + MORE; at += FRAME) {
  const state = await stateOf(Buffer.concat([over.log.subarray(0, at), whole.log.subarray(at)]), over.db);
  assert(state === last || state === last + 1, `${state} after ${last}`);
  last = state;
  states.add(state);
  trials += 1;
}
console.log(`ok ${states.size} states of ${trials} trials`);
process.exit(0);
