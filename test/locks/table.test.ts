import { describe, expect, it } from 'vitest';
import { LockedError, type FileChange, type Intent } from '../../src/disk/locks/lock-table.ts';
import { MemoryLog, SharedLog } from './memory-log.ts';
import { LockTable } from '../../src/disk/locks/table.ts';

const place = { path: '/nowhere', ensure: () => {} };

/** Tables of several realms over one log; `read` lets all of them read the news. */
function createTables(count: number): { tables: LockTable[]; read: () => void } {
  const log = new SharedLog();
  const tables = Array.from({ length: count }, () => new LockTable(place, { log: (machine) => new MemoryLog(log, machine) }));
  return { tables, read: () => tables.forEach((table) => table.epoch()) };
}

function only(): LockTable {
  return new LockTable(place, { log: (machine) => new MemoryLog(new SharedLog(), machine) });
}

const create = (...source: string[]): Intent => ({ operation: 'create', kind: 'file', source });
const remove = (...source: string[]): Intent => ({ operation: 'remove', kind: 'file', source });
const removeTree = (...source: string[]): Intent => ({ operation: 'remove', kind: 'directory', source });
const modify = (...source: string[]): Intent => ({ operation: 'modify', kind: 'file', source });
const done = { changed: true, value: 'done' };

describe('operations', () => {
  it('run in the caller\'s turn where nothing conflicts', () => {
    let ran = false;
    void only().operate(create('a'), () => ((ran = true), done));
    expect(ran).toBe(true);
  });

  it('wait for each other in call order on the same entry', async () => {
    const table = only();
    const order: number[] = [];
    const gate = withResolvers();
    const all = [0, 1, 2].map((index) =>
      table.operate(create('a'), async () => {
        order.push(index);
        await gate.promise;
        return done;
      }),
    );
    expect(order).toEqual([0]);
    gate.resolve(undefined);
    await Promise.all(all);
    expect(order).toEqual([0, 1, 2]);
  });

  it('report their change once, to every realm, in order', async () => {
    const { tables: [one, two], read } = createTables(2);
    const seen: FileChange[] = [];
    two?.subscribe((change) => seen.push(change), () => {});
    await one?.operate(create('a'), () => done);
    await one?.operate(create('b'), () => ({ changed: false, value: 0 }));
    one?.changed(['c']);
    read();
    expect(seen.map(({ operation, source }) => [operation, source])).toEqual([['create', ['a']], ['modify', ['c']]]);
  });

  it('pass an error of their body on and end', async () => {
    const table = only();
    await expect(table.operate(create('a'), () => { throw new Error('no'); })).rejects.toThrow('no');
    await expect(table.operate(create('a'), () => done)).resolves.toBe('done');
  });

  it('are refused by a lock of a handle, also below a directory', async () => {
    const table = only();
    const lock = await table.lockFile(['d', 'f'], 'exclusive');
    await expect(table.operate(remove('d', 'f'), () => done)).rejects.toThrow(LockedError);
    await expect(table.operate(removeTree('d'), () => done)).rejects.toMatchObject({ locator: ['d', 'f'] });
    await expect(table.operate(removeTree('e'), () => done)).resolves.toBe('done');
    await expect(table.operate(create('d', 'f'), () => done)).resolves.toBe('done');
    lock?.release();
    await expect(table.operate(removeTree('d'), () => done)).resolves.toBe('done');
  });

  it('are not refused by the lock of the caller and those that share it', async () => {
    const table = only();
    const lock = await table.lockFile(['f'], 'siloed');
    await table.lockFile(['f'], 'siloed');
    await expect(table.operate(modify('f'), () => done)).rejects.toThrow(LockedError);
    await expect(table.operate(modify('f'), () => done, lock ?? undefined)).resolves.toBe('done');
  });
});

describe('file locks', () => {
  it('wait for an operation under way, then are decided', async () => {
    const table = only();
    const gate = withResolvers();
    const running = table.operate(create('f'), async () => (await gate.promise, done));
    let lock: unknown = 'none';
    const locking = table.lockFile(['f'], 'exclusive').then((given) => (lock = given));
    await Promise.resolve();
    expect(lock).toBe('none');
    gate.resolve(undefined);
    await Promise.all([running, locking]);
    expect(lock).not.toBeNull();
  });
});

function withResolvers(): { promise: Promise<unknown>; resolve: (value: unknown) => void } {
  let resolve = (_: unknown): void => {};
  const promise = new Promise((done) => (resolve = done));
  return { promise, resolve };
}
