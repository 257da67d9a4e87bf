import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Wanted } from '../../../src/disk/records/database-locks.ts';
import { BucketLocks, type BucketLocksOptions } from '../../../src/disk/records/locks/bucket-locks.ts';
import { threadIdentity } from '../../../src/runtime/identity.ts';
import { temporaryBucket } from '../../locks/bucket.ts';

let bucket: ReturnType<typeof temporaryBucket>;
let realms: BucketLocks[];

beforeEach(() => {
  bucket = temporaryBucket();
  realms = [];
});

afterEach(async () => {
  await Promise.all(realms.map((locks) => locks.close()));
  bucket.remove();
});

/** Each has a session of its own, as if it were in another thread. */
function realm(options: BucketLocksOptions = {}): BucketLocks {
  const locks = new BucketLocks(bucket, options);
  realms.push(locks);
  return locks;
}

const told = async (): Promise<void> => {};
const deletion: Wanted = { newVersion: null };
const unblocked = (): never => expect.fail('blocked');

/** Whether it has settled, once what is under way among realms of this process is over. */
async function isSettled(promise: Promise<unknown> | null): Promise<boolean> {
  let settled = promise === null;
  promise?.then(
    () => (settled = true),
    () => (settled = true),
  );
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  return settled;
}

type Four = [BucketLocks, BucketLocks, BucketLocks, BucketLocks];

function oneRealm(): Four {
  const only = realm();
  return [only, only, only, only];
}

describe.each([
  ['within one realm', oneRealm],
  ['among realms', (): Four => [realm(), realm(), realm(), realm()]],
])('%s', (_, make) => {
  let a: BucketLocks, b: BucketLocks, c: BucketLocks, d: BucketLocks;

  beforeEach(() => {
    [a, b, c, d] = make();
  });

  it('the queue of a database is first come, first served', async () => {
    const order: string[] = [];
    const first = await a.queue('x');
    const others = [b, c, d].map(async (locks, index) => {
      const claim = await locks.queue('x');
      order.push(`${index}`);
      claim.release();
    });
    expect(await isSettled(others[0] ?? null)).toBe(false);
    (await b.queue('y')).release();
    first.release();
    await Promise.all(others);
    expect(order).toEqual(['0', '1', '2']);
  });

  it('one is alone at once where nobody has it open', async () => {
    const claim = await a.alone('x', deletion, unblocked);
    expect(claim.isLost).toBe(false);
    claim.release();
    claim.release();
  });

  it('who wants to be alone waits until all connections are closed, each of which is told once', async () => {
    const wanted: [string, number | null][] = [];
    const tell = (who: string) => async ({ newVersion }: Wanted) => void wanted.push([who, newVersion]);
    const open = [a.connect('x', tell('a')), a.connect('x', tell('a2')), b.connect('x', tell('b'))];
    c.connect('y', tell('c'));
    let blocked = 0;
    const alone = d.alone('x', { newVersion: 7 }, () => blocked++);
    await expect.poll(() => blocked).toBe(1);
    expect(wanted.sort()).toEqual([['a', 7], ['a2', 7], ['b', 7]]);
    for (const claim of open.slice(0, 2)) claim.release();
    expect(await isSettled(alone)).toBe(false);
    open[2]?.release();
    (await alone).release();
    expect([blocked, wanted.length]).toEqual([1, 3]);
  });

  it('it is not blocked where all close when they are told', async () => {
    const close = [a, b, c].map((locks) => {
      const claim = locks.connect('x', async () => claim.release());
      return claim;
    });
    (await d.alone('x', deletion, unblocked)).release();
    expect(close).toHaveLength(3);
  });

  it('it is blocked only when the last one has done what it promised', async () => {
    let finish = (): void => {};
    let isTold = false;
    const promised = new Promise<void>((resolve) => (finish = resolve));
    const fast = a.connect('x', told);
    const slow = b.connect('x', () => ((isTold = true), promised));
    let blocked = 0;
    const alone = d.alone('x', deletion, () => blocked++);
    await expect.poll(() => isTold).toBe(true);
    expect(await isSettled(alone)).toBe(false);
    expect(blocked).toBe(0);
    finish();
    await expect.poll(() => blocked).toBe(1);
    fast.release();
    slow.release();
    (await alone).release();
  });

  it('it is blocked by those who were told when one that was not has left', async () => {
    const stays = a.connect('x', told);
    let isTold = false;
    const leaves = b.connect('x', () => ((isTold = true), new Promise(() => {})));
    let blocked = 0;
    const alone = d.alone('x', deletion, () => blocked++);
    await expect.poll(() => isTold).toBe(true);
    leaves.release();
    await expect.poll(() => blocked).toBe(1);
    stays.release();
    (await alone).release();
  });

  it('a connection that fails to hear of it was told', async () => {
    const failing = [
      a.connect('x', () => Promise.reject(new Error('no'))),
      b.connect('x', () => {
        throw new Error('no');
      }),
    ];
    let blocked = 0;
    const alone = d.alone('x', deletion, () => blocked++);
    await expect.poll(() => blocked).toBe(1);
    for (const claim of failing) claim.release();
    (await alone).release();
  });

  it('a connection of its own is not in the way, and stays open', async () => {
    const wanted: Wanted[] = [];
    const own = a.connect('x', async (want) => void wanted.push(want));
    const upgrade = await a.alone('x', { newVersion: 2 }, unblocked, own);
    expect(wanted).toEqual([]);
    upgrade.release();
    let blocked = 0;
    const next = b.alone('x', { newVersion: 3 }, () => blocked++);
    await expect.poll(() => blocked).toBe(1);
    expect(wanted).toEqual([{ newVersion: 3 }]);
    own.release();
    (await next).release();
  });

  it('its own connection waits for those of others', async () => {
    const own = a.connect('x', () => expect.fail('told of its own want'));
    const other = b.connect('x', told);
    let blocked = 0;
    const upgrade = a.alone('x', { newVersion: 2 }, () => blocked++, own);
    await expect.poll(() => blocked).toBe(1);
    expect(await isSettled(upgrade)).toBe(false);
    other.release();
    await upgrade;
    own.release();
    (await upgrade).release();
    (await c.alone('x', deletion, unblocked)).release();
  });

  it('a connection that was opened by who was alone is open for the next one', async () => {
    const upgrade = await a.alone('x', { newVersion: 1 }, unblocked);
    const wanted: Wanted[] = [];
    const open = a.connect('x', async (want) => void wanted.push(want));
    upgrade.release();
    let blocked = 0;
    const alone = b.alone('x', { newVersion: 2 }, () => blocked++);
    await expect.poll(() => blocked).toBe(1);
    expect(wanted).toEqual([{ newVersion: 2 }]);
    open.release();
    (await alone).release();
  });

  it('writers have their turns in the order of the calls', async () => {
    const order: number[] = [];
    const turns = [a, b, c, d, a, b].map((locks) => locks.write('x'));
    expect(turns.map(({ granted }) => granted === null)).toEqual([true, false, false, false, false, false]);
    const ended = turns.map(async (turn, index) => {
      await turn.granted;
      order.push(index);
      turn.release();
    });
    await Promise.all(ended);
    expect(order).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it('a writer that gives up its place is not waited for', async () => {
    const [first, second, third] = [a.write('x'), b.write('x'), c.write('x')];
    second.release();
    first.release();
    await third.granted;
    second.release();
    third.release();
  });

  it('readers share a place in the order of writers', async () => {
    const before = a.write('x');
    const readers = [b.read('x'), c.read('x')];
    const after = d.write('x');
    expect(await isSettled(readers[0]?.granted ?? null)).toBe(false);
    before.release();
    await Promise.all(readers.map(({ granted }) => granted));
    expect(await isSettled(after.granted)).toBe(false);
    for (const reader of readers) reader.release();
    await after.granted;
    after.release();
  });

  it('a file is held until all have let go of it', () => {
    expect(a.isHeld('x', 3)).toBe(false);
    const holds = [a.hold('x', 3), b.hold('x', 3), b.hold('x', 3)];
    for (const hold of holds) {
      expect([a, b, c].map((locks) => locks.isHeld('x', 3))).toEqual([true, true, true]);
      expect([c.isHeld('x', 4), c.isHeld('y', 3)]).toEqual([false, false]);
      hold.release();
      hold.release();
    }
    expect([a, b, c].map((locks) => locks.isHeld('x', 3))).toEqual([false, false, false]);
  });
});

describe('a snapshot', () => {
  it('waits for the writers of other realms that came before, and for none that came after', async () => {
    const [a, b, c] = [realm(), realm(), realm()];
    expect(c.writersBefore('x')).toBeNull();
    const [held, waiting] = [a.write('x'), b.write('x')];
    const before = c.writersBefore('x');
    const after = a.write('x');
    expect(await isSettled(before)).toBe(false);
    held.release();
    expect(await isSettled(before)).toBe(false);
    await waiting.granted;
    waiting.release();
    await before;
    await after.granted;
    after.release();
    expect(c.writersBefore('x')).toBeNull();
  });

  it('does not wait for writers of its own realm, nor for those of other databases', () => {
    const [a, b] = [realm(), realm()];
    a.write('x');
    b.write('y');
    expect(a.writersBefore('x')).toBeNull();
    expect(b.writersBefore('y')).toBeNull();
    expect(b.writersBefore('x')).not.toBeNull();
  });
});

describe('names of databases', () => {
  const long = 'n'.repeat(128);
  const names = ['', ':', 'a', 'a:a', 'c:a', '\uD800', '\uDC00', '\uFFFD', '\u00e9', 'e\u0301', long, `${long}n`, `${long}\uD800`, `${long}\uDC00`, `${long}\uFFFD`];

  it('are any strings, and never taken for one another', async () => {
    const [a, b] = [realm(), realm()];
    for (const name of names) {
      a.connect(name, told);
      expect(a.write(name).granted).toBeNull();
      (await a.queue(name)).release();
      expect(b.isHeld(name, 1)).toBe(false);
      a.hold(name, 1);
    }
    for (const name of names) {
      expect(b.writersBefore(name)).not.toBeNull();
      expect(b.isHeld(name, 1)).toBe(true);
    }
  });
});

describe('a realm whose session has ended without its doing', () => {
  it('hears of each claim that it has lost', async () => {
    const [a, b] = [realm(), realm({ probe: () => 'dead' })];
    const connection = a.connect('x', told);
    const writer = a.write('x');
    const lost: string[] = [];
    connection.onLost = () => lost.push('connection');
    writer.onLost = () => lost.push('writer');
    expect([connection.isLost, writer.isLost]).toEqual([false, false]);
    const next = b.write('x');
    await next.granted;
    expect([connection.isLost, writer.isLost]).toEqual([true, true]);
    expect(lost).toEqual([]);
    await expect.poll(() => lost.sort()).toEqual(['connection', 'writer']);
    writer.onLost = () => lost.push('late');
    await expect.poll(() => lost).toContain('late');
    connection.release();
    writer.release();
    expect(next.isLost).toBe(false);
    // It goes on with a new session.
    const again = a.connect('x', told);
    expect(again.isLost).toBe(false);
  });

  it('has lost what it was alone with, and what it has opened meanwhile', async () => {
    const [a, b] = [realm(), realm({ probe: () => 'dead' })];
    const own = a.connect('x', told);
    const alone = await a.alone('x', { newVersion: 2 }, unblocked, own);
    const opened = a.connect('x', told);
    (await b.alone('x', deletion, unblocked)).release();
    expect(alone.isLost).toBe(true);
    expect([own.isLost, opened.isLost]).toEqual([true, true]);
    alone.release();
  });

  it('is told that its wait to be alone is over', async () => {
    const a = realm({ identity: { ...threadIdentity(), start: 1 } });
    const b = realm({ probe: ({ start }) => (start === 1 ? 'dead' : 'alive') });
    const [own, others] = [a.connect('x', told), realm().connect('x', told)];
    const failed = a.alone('x', { newVersion: 2 }, () => {}, own).catch((error: unknown) => error);
    let blocked = 0;
    const alone = b.alone('x', deletion, () => blocked++);
    await expect.poll(() => blocked).toBe(1);
    await expect.poll(() => own.isLost).toBe(true);
    expect(await failed).toMatchObject({ code: 'session-lost' });
    expect(a.busy).toBe(false);
    others.release();
    (await alone).release();
  });
});

describe('what a realm keeps', () => {
  it('is idle when nothing is open, and starts again', async () => {
    const a = realm();
    expect(a.busy).toBe(false);
    const connection = a.connect('x', told);
    expect(a.busy).toBe(true);
    connection.release();
    expect(a.busy).toBe(false);
    a.suspend();
    const again = a.connect('x', told);
    expect(a.busy).toBe(true);
    const b = realm();
    let blocked = 0;
    const alone = b.alone('x', deletion, () => blocked++);
    await expect.poll(() => blocked).toBe(1);
    again.release();
    (await alone).release();
  });

  it('refuses everything when it is closed, and rejects what waits', async () => {
    const [a, b] = [realm(), realm()];
    const holder = a.write('x');
    await a.queue('x');
    const waiting = [b.write('x').granted, b.queue('x'), b.writersBefore('x')];
    const results = Promise.allSettled(waiting);
    await b.close();
    expect((await results).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(() => b.write('x')).toThrow(/closed/);
    expect(() => b.connect('x', told)).toThrow(/closed/);
    holder.release();
  });
});
