import { afterEach, beforeEach, expect, it } from 'vitest';
import { kinds } from '../../../src/disk/locks/records.ts';
import { BucketLocks } from '../../../src/disk/records/locks/bucket-locks.ts';
import { MemoryLog, SharedLog } from '../../locks/memory-log.ts';

// What the locks of databases cost, in records of the journal.

const told = async (): Promise<void> => {};
let log: SharedLog;
let realms: BucketLocks[];

beforeEach(() => {
  log = new SharedLog();
  realms = [];
});

afterEach(async () => {
  await Promise.all(realms.map((locks) => locks.close()));
});

/** A realm that has joined. */
function realm(): BucketLocks {
  const locks = new BucketLocks({ path: '/nowhere', ensure: () => {} }, { log: (machine) => new MemoryLog(log, machine) });
  realms.push(locks);
  locks.hold('joins', 0);
  return locks;
}

async function recordsOf(body: () => Promise<void> | void): Promise<number> {
  const before = log.end;
  await body();
  return log.end - before;
}

it('a readwrite transaction costs two, a readonly one none', async () => {
  const [a, b] = [realm(), realm()];
  a.connect('x', told);
  b.connect('x', told);
  expect(await recordsOf(() => a.write('x').release())).toBe(2);
  expect(await recordsOf(() => expect(b.writersBefore('x')).toBeNull())).toBe(0);
  expect(await recordsOf(() => b.read('x').release())).toBe(2);
});

it('a readonly one costs two where another realm writes', async () => {
  const [a, b] = [realm(), realm()];
  const writer = a.write('x');
  const cost = await recordsOf(async () => {
    const passed = b.writersBefore('x');
    writer.release();
    // No bell rings where there are no files: a question has it look.
    while (b.writersBefore('x') !== null);
    await passed;
  });
  expect(cost).toBe(3);
});

it('opening a database costs two, and one more for the first connection of a realm', async () => {
  const a = realm();
  const open = async (): Promise<void> => {
    const queue = await a.queue('x');
    a.connect('x', told);
    queue.release();
  };
  expect(await recordsOf(open)).toBe(3);
  expect(await recordsOf(async () => { for (let count = 1; count < 1000; count++) await open(); })).toBe(2 * 999);
});

it('an upgrade costs two more, and keeps the connection open', async () => {
  const a = realm();
  const cost = await recordsOf(async () => {
    const queue = await a.queue('x');
    const alone = await a.alone('x', { newVersion: 1 }, () => {});
    a.connect('x', told);
    alone.release();
    queue.release();
  });
  expect(cost).toBe(5);
});

it('the answers to one who wants to be alone cost two for each realm, however many connections it has', async () => {
  const [a, b, c] = [realm(), realm(), realm()];
  const open = [a, b].flatMap((locks) => Array.from({ length: 100 }, () => locks.connect('x', told)));
  const cost = await recordsOf(async () => {
    let blocked = false;
    const alone = c.alone('x', { newVersion: null }, () => (blocked = true));
    while (!blocked) {
      for (const locks of realms) locks.isHeld('x', 0);
      await null;
    }
    for (const claim of open) claim.release();
    c.isHeld('x', 0);
    (await alone).release();
  });
  expect(cost).toBe(8);
  expect(log.records.filter(({ kind }) => kind === kinds.join)).toHaveLength(3);
});
