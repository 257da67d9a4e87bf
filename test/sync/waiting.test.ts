import { afterEach, describe, expect, test, vi } from 'vitest';
import { MapModel } from '../../src/disk/map/map-model.ts';
import { RecordWriter, SET } from '../../src/disk/map/map-records.ts';
import type { Operation } from '../../src/disk/replica/operation.ts';
import { Replica } from '../../src/disk/replica/replica.ts';
import { PendingQueue } from '../../src/disk/replica/pending-queue.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { setInterval } from '../../src/runtime/timers.ts';
import { Rounds } from '../../src/sync/membership/rounds.ts';
import { MOST_A_TURN, Waiting } from '../../src/sync/membership/waiting.ts';

vi.mock('../../src/runtime/timers.ts', async (original) => {
  const genuine = await original<{ setInterval: typeof setInterval }>();
  return { ...genuine, setInterval: vi.fn(genuine.setInterval) };
});

const INCARNATION = '01890000-0000-7000-8000-000000000001';
const payload = Uint8Array.from(new RecordWriter().set('', '', 'k', 'v'));

/** A journal in memory, and how often anybody looked at it. */
class Journal {
  readonly replica = new Replica(new MapModel());
  readonly watchers = new Set<() => void>();
  looks = 0;

  constructor(pending: number) {
    this.replica.replicate({ incarnation: INCARNATION, region: 'r', cap: 1e12 }, 1);
    for (let sequence = 1; sequence <= pending; sequence++) this.replica.local({ session: 1, sequence, kind: SET, payload });
  }

  current(): Replica {
    this.looks += 1;
    return this.replica;
  }

  append(): void {
    throw new Error('nobody appends');
  }

  watch(onNews: () => void): () => void {
    this.watchers.add(onNews);
    return () => this.watchers.delete(onNews);
  }

  /** So many come back, and that is told of. */
  echo(count: number): void {
    const { pending, position } = this.replica;
    const operations: Operation[] = [];
    for (let index = 0; index < count; index++) operations.push(...[pending.at(index)].flatMap((item) => (item === undefined ? [] : [item.operation])));
    const batch = { incarnation: INCARNATION, region: 'r', first: pending.at(0)?.number ?? 1, previous: pending.chainBefore(0), base: 0, chained: true, operations };
    this.replica.entry({ epoch: 'e', position: position + 1, digest: new Uint8Array(32), batch });
    this.tell();
  }

  tell(): void {
    for (const watcher of this.watchers) watcher();
  }
}

afterEach(() => vi.restoreAllMocks());

describe('10,000 who wait while 100,000 operations are pending', () => {
  test('look at nothing but the first of them, by one watch and one timer', async () => {
    const journal = new Journal(100_000);
    const intervals = vi.mocked(setInterval).mock.calls;
    const intervalsBefore = intervals.length;
    const waiting = new Waiting(journal, () => null);
    const visits = vi.spyOn(PendingQueue.prototype, 'at');
    const walks = vi.spyOn(PendingQueue.prototype, Symbol.iterator);
    const last = journal.replica.pending.last?.ticket ?? 0;
    const done = Promise.all(Array.from({ length: 10_000 }, () => waiting.passed(last)));
    expect([journal.watchers.size, intervals.length - intervalsBefore]).toEqual([1, 1]);
    // Each looks once when it comes: at the first one only.
    expect(visits.mock.calls.length).toBeLessThan(2 * 10_000 + 10);
    const [before, looks] = [visits.mock.calls.length, journal.looks];
    for (let news = 0; news < 100; news++) journal.tell();
    expect([visits.mock.calls.length - before, journal.looks - looks]).toEqual([100, 100]);
    expect(walks).not.toHaveBeenCalled();
    vi.restoreAllMocks();
    journal.echo(100_000);
    await done;
    expect(journal.watchers.size).toBe(0);
  });

  test('end one by one as what they wait for comes back', async () => {
    const journal = new Journal(10);
    const waiting = new Waiting(journal, () => null);
    const ended: number[] = [];
    const all = [1, 5, 10].map((ticket) => waiting.passed(ticket).then(() => ended.push(ticket)));
    journal.echo(5);
    await Promise.all(all.slice(0, 2));
    expect(ended).toEqual([1, 5]);
    journal.echo(5);
    await Promise.all(all);
  });
});

describe('10,000 whose waits end at once', () => {
  const MANY = 10_000;

  /** How many of the promises end in each turn, from now on until all have. */
  async function turnsOf(promises: readonly Promise<unknown>[]): Promise<number[]> {
    const turns: number[] = [];
    let ended = 0;
    for (const promise of promises) void promise.then(() => (ended += 1), () => (ended += 1));
    for (let before = ended; ended < promises.length; before = ended) {
      await new Promise((resolve) => setImmediate(resolve));
      turns.push(ended - before);
    }
    return turns;
  }

  test.each([
    ['as what they wrote comes back', (waiting: Waiting) => waiting.passed(1), (journal: Journal) => journal.echo(1)],
    ['as the head is reached', (waiting: Waiting, goal: object) => waiting.reached(goal, ({ position }) => position > 0), (journal: Journal) => journal.echo(1)],
    ['as what they share ends', (waiting: Waiting, _: object, shared: Promise<void>) => waiting.awake(shared), (_: Journal, end: () => void) => end()],
  ])('%s, are told in turns of a bounded number', async (_, wait, happens) => {
    const journal = new Journal(1);
    const waiting = new Waiting(journal, () => null);
    const goal = {};
    let end: () => void = () => undefined;
    const shared = new Promise<void>((resolve) => (end = resolve));
    const all = Array.from({ length: MANY }, () => wait(waiting, goal, shared));
    const turns = turnsOf(all);
    happens(journal, end);
    // News that come meanwhile end no more of them in a turn.
    for (let news = 0; news < 100; news++) journal.tell();
    const counts = await turns;
    expect(Math.max(...counts)).toBeLessThanOrEqual(MOST_A_TURN);
    expect(counts.reduce((sum, count) => sum + count)).toBe(MANY);
    expect(journal.watchers.size).toBe(0);
  });

  test('cost a look at each thing that is waited for, not at each who waits', () => {
    const journal = new Journal(1);
    const waiting = new Waiting(journal, () => null);
    const isReached = vi.fn(() => false);
    const goal = {};
    for (let index = 0; index < MANY; index++) void waiting.reached(goal, isReached);
    const before = isReached.mock.calls.length;
    for (let news = 0; news < 100; news++) journal.tell();
    expect(isReached.mock.calls.length - before).toBe(100);
  });

  test('are refused in turns too', async () => {
    const journal = new Journal(1);
    let refusal: Error | null = null;
    const waiting = new Waiting(journal, () => refusal);
    const turns = turnsOf(Array.from({ length: MANY }, () => waiting.passed(1)));
    refusal = new HoldfastError('hub-unauthorized', 'no');
    journal.tell();
    expect(Math.max(...(await turns))).toBeLessThanOrEqual(MOST_A_TURN);
  });
});

describe('who waits', () => {
  test('can give up, each for itself, and keeps nothing then', async () => {
    const journal = new Journal(1);
    const waiting = new Waiting(journal, () => null);
    const aborts = Array.from({ length: 100 }, () => new AbortController());
    const all = aborts.map(({ signal }) => waiting.passed(1, signal));
    aborts[0]?.abort(new Error('enough'));
    await expect(all[0]).rejects.toThrow('enough');
    expect(journal.watchers.size).toBe(1);
    for (const abort of aborts) abort.abort();
    await Promise.allSettled(all);
    expect(journal.watchers.size).toBe(0);
    await expect(waiting.passed(1, AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
  });

  test('hears why there is no use in waiting', async () => {
    const journal = new Journal(1);
    let refusal: Error | null = null;
    const waiting = new Waiting(journal, () => refusal);
    const all = [waiting.passed(1), waiting.reached({}, () => false), waiting.awake(new Promise(() => undefined))];
    refusal = new HoldfastError('hub-unauthorized', 'no');
    journal.tell();
    for (const outcome of await Promise.allSettled(all)) expect(outcome).toMatchObject({ status: 'rejected', reason: refusal });
    expect(journal.watchers.size).toBe(0);
  });

  test('keeps what it is awake for, or its error', async () => {
    const waiting = new Waiting(new Journal(0), () => null);
    expect(await waiting.awake(Promise.resolve(7))).toBe(7);
    await expect(waiting.awake(Promise.reject(new Error('failed')))).rejects.toThrow('failed');
  });
});

test('work is shared by all who ask before it begins, never by who asks later', async () => {
  const ends: ((value: number) => void)[] = [];
  const rounds = new Rounds(() => new Promise<number>((resolve) => ends.push(resolve)));
  const first = rounds.join();
  const later = Array.from({ length: 1000 }, () => rounds.join());
  ends[0]?.(1);
  expect(await first).toBe(1);
  await vi.waitFor(() => expect(ends).toHaveLength(2), 30_000);
  ends[1]?.(2);
  expect(new Set(await Promise.all(later))).toEqual(new Set([2]));
  expect(ends).toHaveLength(2);
});
