import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LockedError, type FileChange, type FileLock, type Intent, type LockClass } from '../../src/disk/locks/lock-table.ts';
import { LockTable, type LockTableOptions } from '../../src/disk/locks/table.ts';
import type { Locator } from '../../src/disk/locator.ts';
import { temporaryBucket } from './bucket.ts';

let bucket: ReturnType<typeof temporaryBucket>;
let tables: LockTable[];

beforeEach(() => {
  bucket = temporaryBucket();
  tables = [];
});

afterEach(async () => {
  await Promise.all(tables.map((table) => table.close()));
  bucket.remove();
});

function open(options: LockTableOptions = {}): LockTable {
  const table = new LockTable(bucket, options);
  tables.push(table);
  return table;
}

async function until(condition: () => unknown): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}

const create = (...source: string[]): Intent => ({ operation: 'create', kind: 'file', source });
const createDirectory = (...source: string[]): Intent => ({ operation: 'create', kind: 'directory', source });
const remove = (...source: string[]): Intent => ({ operation: 'remove', kind: 'file', source });
const removeTree = (...source: string[]): Intent => ({ operation: 'remove', kind: 'directory', source });
const modify = (...source: string[]): Intent => ({ operation: 'modify', kind: 'file', source });
const move = (source: Locator, target: Locator): Intent => ({ operation: 'move', kind: 'file', source, target });
const moveTree = (source: Locator, target: Locator): Intent => ({ operation: 'move', kind: 'directory', source, target });
const empty: Intent = { operation: 'empty', kind: 'directory', source: [] };
const hold: Intent = { operation: 'hold', kind: 'directory', source: [] };
const done = { changed: true, value: 'done' };

/** Starts an operation that lasts until it is told to end. */
function start(table: LockTable, intent: Intent): { readonly started: () => boolean; end(): void; readonly ended: Promise<unknown> } {
  let started = false;
  let end = (): void => {};
  const gate = new Promise<void>((resolve) => (end = resolve));
  const ended = table.operate(intent, async () => {
    started = true;
    await gate;
    return done;
  });
  return { started: () => started, end: () => end(), ended };
}

describe('a lock on a file', () => {
  const classes: LockClass[] = ['exclusive', 'read-only', 'readwrite-unsafe', 'siloed'];
  const pairs = classes.flatMap((held) => classes.map((wanted) => [held, wanted] as const));

  it.each(pairs)('%s against %s, in the same realm and another', async (held, wanted) => {
    const [one, two] = [open(), open()];
    await one.lockFile(['f'], held);
    const compatible = held === wanted && held !== 'exclusive';
    expect((await one.lockFile(['f'], wanted)) !== null).toBe(compatible);
    expect((await two.lockFile(['f'], wanted)) !== null).toBe(compatible);
    expect(await two.lockFile(['g'], wanted)).not.toBeNull();
  });

  const intents: [string, Intent, boolean][] = [
    ['creating it', create('d', 'f'), false],
    ['creating it as a directory', createDirectory('d', 'f'), false],
    ['removing it', remove('d', 'f'), true],
    ['modifying it', modify('d', 'f'), true],
    ['moving it', move(['d', 'f'], ['g']), true],
    ['moving something over it', move(['g'], ['d', 'f']), true],
    ['removing its directory', removeTree('d'), true],
    ['moving its directory', moveTree(['d'], ['e']), true],
    ['moving a directory over its directory', moveTree(['e'], ['d']), true],
    ['emptying the root', empty, true],
    ['holding everything', hold, false],
    ['removing its sibling', remove('d', 'g'), false],
    ['removing another directory', removeTree('e'), false],
    ['removing a name that its name starts with', removeTree('d', 'f', 'g'), false],
  ];
  it.each(intents)('and %s', async (_, intent, refused) => {
    const [one, two] = [open(), open()];
    const lock = await one.lockFile(['d', 'f'], 'siloed');
    for (const table of [one, two]) {
      const result = await table.operate(intent, () => done).catch((error: unknown) => error);
      if (refused) expect(result).toMatchObject({ name: 'LockedError', locator: ['d', 'f'] });
      else expect(result).toBe('done');
    }
    lock?.release();
    expect(await two.operate(intent, () => done)).toBe('done');
  });

  it('does not refuse the operation of its own holder, nor do those that share it', async () => {
    const [one, two] = [open(), open()];
    const lock = (await one.lockFile(['f'], 'siloed')) ?? undefined;
    await two.lockFile(['f'], 'siloed');
    await expect(one.operate(modify('f'), () => done)).rejects.toThrow(LockedError);
    await expect(one.operate(modify('f'), () => done, lock)).resolves.toBe('done');
  });

  it('is released once, however often that is asked', async () => {
    const table = open();
    const lock = await table.lockFile(['f'], 'exclusive');
    lock?.release();
    const next = await table.lockFile(['f'], 'exclusive');
    lock?.release();
    expect(await table.lockFile(['f'], 'exclusive')).toBeNull();
    expect(next?.lost).toBe(false);
  });

  it('waits for operations under way on the file and on directories above it', async () => {
    for (const intent of [create('d', 'f'), removeTree('d'), moveTree(['e'], ['d']), empty, hold]) {
      const [one, two] = [open(), open()];
      const operation = start(one, intent);
      let lock: FileLock | null | undefined;
      const locking = two.lockFile(['d', 'f'], 'exclusive').then((given) => (lock = given));
      two.epoch();
      await Promise.resolve();
      expect(lock).toBeUndefined();
      operation.end();
      await Promise.all([operation.ended, locking]);
      expect(lock).not.toBeNull();
      lock?.release();
    }
  });
});

describe('operations', () => {
  const a = ['a'];
  const both: [string, Intent, Intent, boolean][] = [
    ['creating a file twice', create('a'), create('a'), true],
    ['creating and removing', create('a'), remove('a'), true],
    ['two siblings', create('a'), create('b'), false],
    ['a child and its directory, both created', createDirectory('a'), create('a', 'b'), false],
    ['a removed tree and a child', removeTree('a'), create('a', 'b', 'c'), true],
    ['a child and a removed tree', create('a', 'b', 'c'), removeTree('a'), true],
    ['a directory being made and a tree removed below it', createDirectory('a'), removeTree('a', 'b'), true],
    ['two trees of which one is in the other', removeTree('a', 'b'), removeTree('a'), true],
    ['two trees side by side', removeTree('a'), removeTree('b'), false],
    ['a move and what it replaces', move(a, ['b']), remove('b'), true],
    ['a move and its source', move(a, ['b']), modify('a'), true],
    ['moves in a circle', move(a, ['b']), move(['b'], a), true],
    ['moves apart', move(a, ['b']), move(['c'], ['d']), false],
    ['a moved tree and a child of its target', moveTree(a, ['b']), create('b', 'c'), true],
    ['an emptied root and anything', empty, create('x'), true],
    ['what is held and anything', hold, modify('x', 'y'), true],
    ['anything and what is held', removeTree('x'), hold, true],
  ];
  it.each(both)('%s: the later one waits where they meet', async (_, first, second, waits) => {
    for (const other of [false, true]) {
      const one = open();
      const running = start(one, first);
      const later = start(other ? open() : one, second);
      expect([running.started(), later.started()]).toEqual([true, !waits]);
      running.end();
      later.end();
      await Promise.all([running.ended, later.ended]);
    }
  });

  it('run one after the other in call order, thousands on one entry', async () => {
    const table = open();
    const order: number[] = [];
    const body = (index: number) => async () => {
      order.push(index);
      await Promise.resolve();
      return done;
    };
    await Promise.all(Array.from({ length: 3000 }, (_, index) => table.operate(create('a'), body(index))));
    expect(order).toEqual(Array.from({ length: 3000 }, (_, index) => index));
  });

  it('pass on what their body throws or rejects with, and end as if they had changed nothing', async () => {
    const table = open();
    const changes: FileChange[] = [];
    table.subscribe((change) => changes.push(change), () => {});
    const thrown = table.operate(create('a'), () => { throw new Error('thrown'); });
    await expect(thrown).rejects.toThrow('thrown');
    await expect(table.operate(create('a'), () => Promise.reject(new Error('rejected')))).rejects.toThrow('rejected');
    await expect(table.operate(create('a'), () => done)).resolves.toBe('done');
    expect(changes).toHaveLength(1);
  });

  it('that were refused let those behind them go on', async () => {
    const table = open();
    const first = start(table, create('d', 'f'));
    const lock = table.lockFile(['d', 'f'], 'exclusive');
    const refused = table.operate(removeTree('d'), () => done);
    const last = table.operate(create('d', 'g'), () => done);
    first.end();
    await expect(refused).rejects.toThrow(LockedError);
    await expect(last).resolves.toBe('done');
    expect(await lock).not.toBeNull();
  });
});

describe('changes', () => {
  it('come to every realm once and in order, by whomever they were made', async () => {
    const [one, two] = [open(), open()];
    const seen: string[][] = [[], []];
    for (const [index, table] of [one, two].entries()) table.subscribe(({ source }) => seen[index]?.push(source.join('/')), () => {});
    for (let index = 0; index < 20; index++) {
      await (index % 2 === 0 ? one : two).operate(create(`f${index}`), () => ({ changed: index % 5 !== 0, value: 0 }));
    }
    two.changed(['g']);
    await until(() => seen.every((changes) => changes.includes('g')));
    expect(seen[0]).toEqual([...Array.from({ length: 20 }, (_, index) => `f${index}`).filter((_, index) => index % 5 !== 0), 'g']);
    expect(seen[1]).toEqual(seen[0]);
  });

  it('end with the subscription', async () => {
    const table = open();
    const seen: FileChange[] = [];
    const unsubscribe = table.subscribe((change) => seen.push(change), () => {});
    await table.operate(create('a'), () => done);
    unsubscribe();
    await table.operate(create('b'), () => done);
    expect(seen.map(({ source }) => source)).toEqual([['a']]);
  });
});

describe('a session', () => {
  it('joins at the first lock only: nothing is created by looking', () => {
    const table = open();
    expect(table.query()).toEqual({ held: [], pending: [] });
    expect(table.epoch()).toBe(0);
    expect(fs.existsSync(bucket.path)).toBe(false);
  });

  it('makes a missing bucket at its first lock', async () => {
    expect(await open().lockFile(['f'], 'exclusive')).not.toBeNull();
    expect(fs.existsSync(bucket.path)).toBe(true);
  });

  it('that was forgotten because it was idle among hundreds joins again unnoticed', async () => {
    const idle = open();
    (await idle.lockFile(['f'], 'exclusive'))?.release();
    const busy = open();
    const kept = await busy.lockFile(['kept'], 'exclusive');
    for (let index = 0; index < 300; index++) {
      const table = open();
      (await table.lockFile([`g${index}`], 'exclusive'))?.release();
    }
    const lock = await idle.lockFile(['f'], 'exclusive');
    expect(lock?.lost).toBe(false);
    expect(await busy.lockFile(['f'], 'exclusive')).toBeNull();
    expect(kept?.lost).toBe(false);
    expect(await idle.lockFile(['kept'], 'exclusive')).toBeNull();
  });
});

describe('close', () => {
  it('releases what is held, rejects what waits and what comes, lets what runs end', async () => {
    const [one, two] = [open(), open()];
    const lock = await one.lockFile(['f'], 'exclusive');
    const web = one.request({ name: 'a', mode: 'exclusive', clientId: 'c', ifAvailable: false, steal: false });
    await web.granted;
    const running = start(one, create('a'));
    const waiting = one.operate(create('a'), () => done);
    const closed = one.close();
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
    await expect(one.lockFile(['g'], 'exclusive')).rejects.toMatchObject({ code: 'closed' });
    running.end();
    await expect(running.ended).resolves.toBe('done');
    await closed;
    expect(await two.lockFile(['f'], 'exclusive')).not.toBeNull();
    expect(two.query()).toEqual({ held: [], pending: [] });
    lock?.release();
    expect(await two.operate(create('a'), () => done)).toBe('done');
  });

  it('of an untouched table does nothing', async () => {
    await open().close();
    expect(fs.existsSync(bucket.path)).toBe(false);
  });
});

describe('the lock journal', () => {
  const generations = (): string[] => fs.readdirSync(path.join(bucket.path, 'locks')).filter((name) => /^\d+$/.test(name));

  it('stays small, and nothing is lost when it moves on', async () => {
    const [one, two, sleeper] = [open(), open(), open()];
    const kept = await one.lockFile(['kept'], 'exclusive');
    const seen: string[] = [];
    let gaps = 0;
    sleeper.subscribe(() => {}, () => gaps++);
    const waiting = sleeper.request({ name: 'w', mode: 'exclusive', clientId: 'c', ifAvailable: false, steal: false });
    const held = await waiting.granted;
    const next = one.request({ name: 'w', mode: 'exclusive', clientId: 'c', ifAvailable: false, steal: false });
    two.subscribe(({ source }) => seen.push(source[0] ?? ''), () => {});
    const name = 'x'.repeat(200);
    for (let index = 0; index < 12_000; index++) await two.operate(create(`${index}`, name), () => done);
    expect(Number(generations().at(-1))).toBeGreaterThan(1);
    for (const file of generations()) expect(fs.statSync(path.join(bucket.path, 'locks', file)).size).toBeLessThan(1.5 * 2 ** 20);
    expect(generations().length).toBeLessThanOrEqual(2);
    expect(seen).toEqual(Array.from({ length: 12_000 }, (_, index) => `${index}`));
    expect(await two.lockFile(['kept'], 'exclusive')).toBeNull();
    held?.release();
    expect(await next.granted).not.toBeNull();
    expect([kept?.lost, gaps <= 1]).toEqual([false, true]);
  });

  it('with garbage at its end still gives locks', async () => {
    const one = open();
    const lock = await one.lockFile(['f'], 'exclusive');
    fs.appendFileSync(path.join(bucket.path, 'locks', '0'), Buffer.alloc(3000, 0xa5));
    const two = open();
    expect(await two.lockFile(['f'], 'exclusive')).toBeNull();
    lock?.release();
    expect(await two.lockFile(['f'], 'exclusive')).not.toBeNull();
  });
});

describe('a disk that is full', () => {
  const { writeSync } = fs;
  afterEach(() => {
    fs.writeSync = writeSync;
  });
  const fill = (): void => {
    fs.writeSync = () => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    };
  };

  it('fails an acquisition, which leaves nothing behind', async () => {
    const [one, two] = [open(), open()];
    await one.lockFile(['g'], 'exclusive');
    fill();
    await expect(one.lockFile(['f'], 'exclusive')).rejects.toMatchObject({ code: 'disk-full' });
    await expect(one.operate(create('f'), () => done)).rejects.toMatchObject({ code: 'disk-full' });
    expect(() => one.request({ name: 'a', mode: 'exclusive', clientId: 'c', ifAvailable: false, steal: false })).toThrow('full');
    fs.writeSync = writeSync;
    expect(await two.lockFile(['f'], 'exclusive')).not.toBeNull();
    expect(two.query()).toEqual({ held: [], pending: [] });
  });

  it('only delays a release', async () => {
    const [one, two] = [open({ leaseMs: 60 }), open({ leaseMs: 60 })];
    const lock = await one.lockFile(['f'], 'exclusive');
    const finished = await one.operate(create('g'), () => (fill(), done));
    lock?.release();
    expect(finished).toBe('done');
    fs.writeSync = writeSync;
    expect(await two.operate(create('g'), () => done)).toBe('done');
    while ((await two.lockFile(['f'], 'exclusive')) === null) await new Promise((resolve) => setTimeout(resolve, 2));
  });
});

describe('a session that others took for dead', () => {
  const exclusive = { name: 'a', mode: 'exclusive', clientId: 'c', ifAvailable: false, steal: false } as const;

  it('is told by each thing that it held, and goes on with new ones', async () => {
    const [victim, other] = [open(), open({ probe: () => 'dead' })];
    const lock = (await victim.lockFile(['f'], 'exclusive')) ?? undefined;
    const web = await victim.request(exclusive).granted;
    let lost = 0;
    if (web !== null) web.onLost = () => lost++;
    const running = start(victim, create('g'));
    const waiting = victim.operate(create('g'), () => done);
    expect(await other.lockFile(['f'], 'exclusive')).not.toBeNull();
    await expect(waiting).rejects.toMatchObject({ code: 'session-lost' });
    expect([lock?.lost, lost]).toEqual([true, 1]);
    await expect(victim.operate(modify('f'), () => done, lock)).rejects.toMatchObject({ code: 'session-lost' });
    await expect(victim.lockFile(['h'], 'exclusive')).rejects.toMatchObject({ code: 'session-lost' });
    expect(() => victim.epoch()).toThrow('declared it dead');
    running.end();
    await expect(running.ended).rejects.toMatchObject({ code: 'session-lost' });
    expect(await victim.lockFile(['h'], 'exclusive')).not.toBeNull();
    expect(victim.epoch()).toBe(0);
    lock?.release();
    expect(await victim.lockFile(['f'], 'exclusive')).toBeNull();
  });
});
