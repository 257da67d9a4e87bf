import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/disk/journal/journal.ts';
import type { HeldWebLock, WebLockMode, WebLockRequest } from '../../src/disk/locks/lock-table.ts';
import type { Machine } from '../../src/disk/journal/machine.ts';
import type { LockOutcome } from '../../src/disk/locks/machine.ts';
import { LockTable, type LockTableOptions } from '../../src/disk/locks/table.ts';
import type { BucketPlace } from '../../src/disk/place.ts';
import { MemoryLog, SharedLog } from './memory-log.ts';

/*
 * What realms use that agree among themselves by names of locks: they must know in their own turn what they hold, who
 * else wants it, and when that changes.
 */

const nowhere = { path: '/nowhere', ensure: () => {} };
const never = (): void => {};

let log: SharedLog;
let tables: LockTable[];
let machines: Machine<LockOutcome>[];

beforeEach(() => {
  log = new SharedLog();
  tables = [];
  machines = [];
});

afterEach(() => Promise.all(tables.map((table) => table.close())));

function open(options: LockTableOptions = {}): LockTable {
  const createLog = (machine: Machine<LockOutcome>): MemoryLog => {
    machines.push(machine);
    return new MemoryLog(log, machine);
  };
  const table = new LockTable(nowhere, { log: createLog, ...options });
  tables.push(table);
  return table;
}

function wanted(name: string, mode: WebLockMode = 'exclusive', clientId = 'c'): WebLockRequest {
  return { name, mode, clientId, ifAvailable: false, steal: false };
}

function ask(table: LockTable, request: WebLockRequest): { readonly lock: HeldWebLock | null; abort(): boolean; readonly later: () => HeldWebLock | null } {
  const turn = table.request(request);
  turn.granted.catch(never);
  return { lock: turn.held, abort: () => turn.abort(), later: () => turn.held };
}

describe('a request', () => {
  it('knows at once that it was granted, and gives the same lock later', async () => {
    const table = open();
    const first = table.request(wanted('w'));
    const second = table.request(wanted('w'));
    expect([first.held === null, second.held]).toEqual([false, null]);
    expect(await first.granted).toBe(first.held);
    first.held?.release();
    expect([first.held, second.held === null]).toEqual([null, false]);
  });

  it('that is refused, withdrawn, or waits has nothing', () => {
    const [one, two] = [open(), open()];
    const holder = ask(one, wanted('w'));
    const waiting = ask(two, wanted('w'));
    expect(two.request({ ...wanted('w'), ifAvailable: true }).held).toBeNull();
    expect([waiting.later(), waiting.abort()]).toEqual([null, true]);
    holder.lock?.release();
    expect(waiting.later()).toBeNull();
  });

  it('has nothing any more once it was taken away', () => {
    const table = open();
    const holder = ask(table, wanted('w'));
    expect(ask(table, { ...wanted('w'), steal: true }).lock).not.toBeNull();
    expect(holder.later()).toBeNull();
  });
});

describe('a name', () => {
  it('is wanted elsewhere while another realm holds or waits for what conflicts', () => {
    const [here, there] = [open(), open()];
    const own = ask(here, wanted('w'));
    const looks = (): boolean[] => [here.isWantedElsewhere('w', 'shared'), here.isWantedElsewhere('w', 'exclusive')];
    expect(looks()).toEqual([false, false]);
    const reader = ask(there, wanted('w', 'shared'));
    expect(looks()).toEqual([false, true]);
    const writer = ask(there, wanted('w'));
    expect(looks()).toEqual([true, true]);
    own.lock?.release();
    there.parties('w');
    reader.later()?.release();
    expect([writer.later() === null, ...looks()]).toEqual([false, true, true]);
    writer.later()?.release();
    expect(looks()).toEqual([false, false]);
    expect(here.isWantedElsewhere('other', 'exclusive')).toBe(false);
  });

  it('is looked at without a record', () => {
    const [here, there] = [open(), open()];
    ask(there, wanted('w'));
    const before = log.end;
    expect(here.isWantedElsewhere('w', 'shared')).toBe(true);
    expect(here.parties('w').held).toHaveLength(1);
    expect(log.end).toBe(before);
  });

  it('has parties in the order of their grants and requests, some of them ours', () => {
    const [here, there] = [open(), open()];
    ask(here, wanted('c', 'shared', '1'));
    ask(there, wanted('c', 'shared', '2'));
    ask(there, wanted('c', 'exclusive', '3'));
    ask(here, wanted('c', 'shared', '4'));
    const { held, pending } = here.parties('c');
    expect(held.map(({ clientId, isOwn }) => [clientId, isOwn])).toEqual([['1', true], ['2', false]]);
    expect(pending.map(({ clientId, isOwn }) => [clientId, isOwn])).toEqual([['3', false], ['4', true]]);
  });
});

describe('a watch', () => {
  function watched(name: string): { readonly here: LockTable; readonly there: LockTable; told: () => number; end: () => void } {
    const [here, there] = [open(), open()];
    let count = 0;
    const end = here.watch(name, () => count++);
    const told = (): number => {
      here.isWantedElsewhere(name, 'shared');
      const since = count;
      count = 0;
      return since;
    };
    return { here, there, told, end };
  }

  it('tells of requests, grants and ends of others', () => {
    const { there, told } = watched('c');
    const first = ask(there, wanted('c'));
    expect(told()).toBe(1);
    const second = ask(there, wanted('c'));
    expect(told()).toBe(1);
    first.lock?.release();
    expect(told()).toBe(1);
    second.later()?.release();
    expect(told()).toBe(1);
    expect(told()).toBe(0);
  });

  it('tells once of all that one look brings, and nothing of other names', () => {
    const { there, told } = watched('c');
    for (let index = 0; index < 10; index++) ask(there, wanted('c', 'shared', `${index}`));
    expect(told()).toBe(1);
    ask(there, wanted('d'));
    expect(told()).toBe(0);
  });

  it('tells of the end of a client, of a close, and of a request that was withdrawn or refused to nobody', () => {
    const { there, told } = watched('c');
    for (let index = 0; index < 3; index++) ask(there, wanted('c'));
    told();
    there.endClient('c');
    expect(told()).toBe(1);
    ask(there, wanted('c'));
    const waiting = ask(there, wanted('c'));
    told();
    waiting.abort();
    expect(told()).toBe(1);
    there.request({ ...wanted('c'), ifAvailable: true });
    expect(told()).toBe(0);
    void there.close();
    expect(told()).toBe(1);
  });

  it('tells nothing of what its own realm does, but of those that it finds dead', () => {
    const [victim, here] = [open({ identity: { boot: 'b', namespace: 'n', pid: 1, tid: 1, start: 1 } }), open({ probe: () => 'dead' })];
    ask(victim, wanted('c', 'shared'));
    here.query();
    let count = 0;
    ask(victim, wanted('c', 'shared'));
    here.watch('c', () => count++);
    here.isWantedElsewhere('c', 'shared');
    expect(count).toBe(1);
    const own = ask(here, wanted('c', 'shared'));
    own.lock?.release();
    expect(count).toBe(1);
    here.query();
    expect(count).toBe(2);
    expect(here.isWantedElsewhere('c', 'exclusive')).toBe(false);
  });

  it('tells after a snapshot took the place of records that were not seen', () => {
    const { here, there, told } = watched('c');
    ask(here, wanted('own'));
    told();
    ask(there, wanted('c'));
    machines.slice(1, 2).forEach((machine) => log.compact(machine));
    expect(told()).toBe(1);
    expect(here.isWantedElsewhere('c', 'shared')).toBe(true);
  });

  it('tells nothing once it has ended, though another of the same function goes on', () => {
    const [here, there] = [open(), open()];
    let count = 0;
    const listener = (): void => void count++;
    const end = here.watch('c', listener);
    here.watch('c', listener);
    end();
    end();
    ask(there, wanted('c'));
    here.isWantedElsewhere('c', 'shared');
    expect(count).toBe(1);
  });
});

describe('a table without files', () => {
  let home: string;
  const place = (): BucketPlace => ({ path: path.join(home, 'queues'), ensure: make });

  function make(): void {
    const [locks, wake] = ['locks', 'wake'].map((name) => path.join(home, 'queues', name));
    if (locks === undefined || wake === undefined || fs.existsSync(locks)) return;
    fs.mkdirSync(wake, { recursive: true });
    fs.mkdirSync(locks);
    Journal.create(locks);
  }

  beforeEach(() => {
    home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-parties-'));
  });

  afterEach(async () => {
    await Promise.all(tables.map((table) => table.close()));
    fs.rmSync(home, { recursive: true, force: true });
  });

  it('takes from one whose lease has ended what it held, and needs nothing but its journal', async () => {
    const openHere = (leaseMs: number): LockTable => {
      const table = new LockTable(place(), { leaseMs, probe: () => 'unknown', hasFiles: false });
      tables.push(table);
      return table;
    };
    const [victim, other] = [openHere(600_000), openHere(60)];
    const lock = await victim.request(wanted('w')).granted;
    let lost = 0;
    if (lock !== null) lock.onLost = () => lost++;
    expect(await other.request(wanted('w')).granted).not.toBeNull();
    victim.parties('w');
    expect(lost).toBe(1);
    expect(victim.isWantedElsewhere('w', 'shared')).toBe(true);
    expect(fs.readdirSync(place().path).sort()).toEqual(['locks', 'wake']);
  });
});
