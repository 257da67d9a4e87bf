import assert from 'node:assert/strict';
import fs from 'node:fs';
import type { IDBDatabase } from '../../../src/indexed-db/database.ts';
import { createFactory, endFactory } from '../../../src/indexed-db/index.ts';
import { bytesOf, handleCalls, isChange, isWrite, type Call, type Fault } from '../../crash/support/fault-layer.ts';
import { sample } from '../../support/thorough.ts';
import { newBucket, placeAt } from '../support/place.ts';
import { ended, opened, result } from '../support/promises.ts';

/*
 * Lets calls of a transaction, and of an upgrade, fail, each in one of several ways: what fails is aborted by the
 * right error, what was there before is there, and everything works again. On SQLite as WebAssembly all calls are ours.
 */

interface Outcome {
  /** `complete`, or the error's name. */
  readonly name: string;
  readonly calls: number;
}

interface Strike {
  readonly name: string;
  readonly first: number;
  readonly times: number;
  readonly fault: (call: Call) => Fault | undefined;
  readonly right: readonly string[];
}

type Work = (db: IDBDatabase) => Promise<string>;

const LARGE = 100_000;
const PATIENCE = 30_000;
const ROOM_AFTER = 1000;
/** Failures that are tried of each, unless all are. */
const TRIED = 16;
/** The test, as the end of a command. */
const { TEST = '' } = process.env;

const works: Record<string, { readonly work: Work; readonly before: string; readonly after: string }> = {
  'a transaction': { work: write, before: 'old old old', after: 'new gone new new' },
  'an upgrade': { work: upgrade, before: 'old old old', after: 'old old old upgraded' },
};

async function write(db: IDBDatabase): Promise<string> {
  const transaction = db.transaction('s', 'readwrite', { durability: 'strict' });
  const store = transaction.objectStore('s');
  store.put({ n: 1, text: 'new' }, 1);
  store.delete(2);
  store.put({ n: 3, text: 'new', blob: new Blob(['the blob']) }, 3);
  store.put({ n: 4, text: 'new', large: 'x'.repeat(LARGE) }, 4);
  return ended(transaction);
}

async function upgrade(db: IDBDatabase): Promise<string> {
  db.close();
  const factory = factories.get(db);
  assert(factory);
  try {
    const made = await opened(factory, 'db', (database, transaction) => {
      transaction.objectStore('s').createIndex('text', 'text');
      database.createObjectStore('more').put('upgraded', 1);
    }, 2);
    made.close();
    return 'complete';
  } catch (error) {
    // What aborted it, where it was aborted.
    const { name, cause } = error as DOMException;
    return name === 'AbortError' && cause instanceof DOMException ? cause.name : name;
  }
}

const factories = new WeakMap<IDBDatabase, ReturnType<typeof createFactory>>();

async function stateOf(db: IDBDatabase): Promise<string> {
  const names = [...db.objectStoreNames];
  const transaction = db.transaction(names);
  const records = [1, 2, 3, 4].map((key) => result<{ text: string; blob?: Blob; large?: string } | undefined>(transaction.objectStore('s').get(key)));
  const texts: string[] = [];
  for (const [nth, record] of (await Promise.all(records)).entries()) {
    if (record?.blob !== undefined) assert.equal(await record.blob.text(), 'the blob');
    if (record?.large !== undefined) assert.equal(record.large.length, LARGE);
    if (record !== undefined || nth === 1) texts.push(record?.text ?? 'gone');
  }
  if (names.includes('more')) texts.push(await result<string>(db.transaction('more').objectStore('more').get(1)));
  return texts.join(' ');
}

async function prepare(bucket: string): Promise<void> {
  const place = placeAt(bucket);
  const factory = createFactory(place);
  for (const name of ['db', 'other']) {
    const db = await opened(factory, name, (made) => {
      const store = made.createObjectStore('s');
      store.createIndex('n', 'n');
      for (const n of [1, 2, 3]) store.put({ n, text: 'old' }, n);
    });
    db.close();
  }
  await endFactory(factory);
  await place.close();
}

/** What comes of the work under a strike, and of everything after it. */
async function trial(prepared: string, { work, before, after }: (typeof works)[string], strike: Strike | null): Promise<Outcome> {
  const bucket = newBucket();
  fs.cpSync(prepared, bucket, { recursive: true });
  // Descriptors are known from their opening on.
  handleCalls(bucket, {});
  const place = placeAt(bucket);
  const factory = createFactory(place);
  try {
    const db = await opened(factory, 'db', undefined, 1);
    const other = await opened(factory, 'other', undefined, 1);
    factories.set(db, factory);
    const outcome = await struck(bucket, strike, () => work(db));
    if (strike !== null && outcome.name !== 'complete') assert(strike.right.includes(outcome.name), `the error is ${outcome.name}`);
    const again = await result<IDBDatabase>(factory.open('db'));
    const state = await stateOf(again);
    assert(outcome.name === 'complete' ? state === after : [before, after].includes(state) && (state === before || outcome.name === 'UnknownError'), `${outcome.name}: ${state}`);
    for (const database of [again, other]) {
      const later = database.transaction('s', 'readwrite');
      later.objectStore('s').put({ n: 9, text: 'later' }, 9);
      assert.equal(await ended(later), 'complete', `a later write: ${later.error?.message}`);
      assert.equal((await result<{ text: string }>(database.transaction('s').objectStore('s').index('n').get(9))).text, 'later');
    }
    assert.equal(await stateOf(again), state);
    return outcome;
  } finally {
    await endFactory(factory);
    await place.close();
    fs.rmSync(bucket, { recursive: true, force: true });
  }
}

async function struck(bucket: string, strike: Strike | null, work: () => Promise<string>): Promise<Outcome> {
  let calls = 0;
  const before = (call: Call): Fault | undefined => {
    const nth = calls++;
    if (nth === Number(process.env.SHOW)) console.log(call.name, call.parameters[0], new Error().stack);
    return strike !== null && nth >= strike.first && nth < strike.first + strike.times ? strike.fault(call) : undefined;
  };
  handleCalls(bucket, { before });
  let timer: NodeJS.Timeout | undefined;
  // What a full disk has wait, such as the release of a lock, goes on when there is room.
  const room = setTimeout(() => handleCalls(bucket, {}), ROOM_AFTER);
  const tooLate = new Promise<never>((_, reject) => (timer = setTimeout(() => reject(new Error('it never ends')), PATIENCE)));
  try {
    return { name: await Promise.race([work(), tooLate]), calls };
  } finally {
    clearTimeout(timer);
    clearTimeout(room);
    handleCalls(bucket, {});
  }
}

const takesSpace = (call: Call): boolean => isChange(call) && /write|open|mk|link$|linkSync/i.test(call.name) && !call.name.includes('unlink');

function strikesAt(first: number): Strike[] {
  return [
    { name: 'ENOSPC', first, times: 1, fault: (call) => (takesSpace(call) ? { code: 'ENOSPC', late: false } : undefined), right: ['QuotaExceededError'] },
    { name: 'a full disk', first, times: Infinity, fault: (call) => (takesSpace(call) ? { code: 'ENOSPC', late: false } : undefined), right: ['QuotaExceededError'] },
    { name: 'EIO', first, times: 1, fault: () => ({ code: 'EIO', late: false }), right: ['UnknownError'] },
    { name: 'a short write', first, times: 1, fault: (call) => (isWrite(call) ? { bytes: Math.floor(bytesOf(call) / 2) } : undefined), right: ['QuotaExceededError', 'UnknownError'] },
  ];
}

const prepared = newBucket();
await prepare(prepared);
process.on('warning', () => undefined);
for (const [what, of] of Object.entries(works)) {
  if (process.env.WORK !== undefined && process.env.WORK !== what) continue;
  const { calls, name } = await trial(prepared, of, null);
  assert.equal(name, 'complete');
  const failed: string[] = [];
  let aborted = 0;
  const strikes = Array.from({ length: calls }, (_, first) => strikesAt(first)).flat();
  for (const { value: strike, again } of sample(strikes, TEST, TRIED)) {
    try {
      if ((await trial(prepared, of, strike)).name !== 'complete') aborted += 1;
    } catch (error) {
      failed.push(`${strike.name} at call ${strike.first} of ${calls}: ${String((error as Error).message)}\n${again}`);
    }
  }
  if (aborted === 0 && process.env.HOLDFAST_POINT === undefined) failed.push('nothing was aborted');
  console.log(JSON.stringify({ name: `faults at calls of ${what}`, error: failed.length === 0 ? null : failed.join('\n') }));
  if (process.env.TALK !== undefined) console.log(`${calls} calls, ${aborted} aborted`);
}
fs.rmSync(prepared, { recursive: true, force: true });
process.exit(0);
