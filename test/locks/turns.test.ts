import { describe, expect, it, vi } from 'vitest';
import type { PendingWebLock, WebLockRequest } from '../../src/disk/locks/lock-table.ts';
import { LockMachine } from '../../src/disk/locks/machine.ts';
import { Participant } from '../../src/disk/locks/participant.ts';
import { encodeRequest, kinds } from '../../src/disk/locks/records.ts';
import { LockTable } from '../../src/disk/locks/table.ts';
import { threadIdentity } from '../../src/runtime/identity.ts';
import { createLockManager } from '../../src/web-locks/lock-manager.ts';
import { MemoryLog, SharedLog, SOME } from './memory-log.ts';

/*
 * What one record does to thousands, and what thousands of records bring, is one step of the table; but nobody keeps
 * the event loop from turning while all of them are told, copied or read.
 */

const MANY = 3000;
/** Of those that are told in one turn. */
const TOLD = 256;

const nowhere = { path: '/nowhere', ensure: () => {} };
const shared: WebLockRequest = { name: 'a', mode: 'shared', clientId: 'client', ifAvailable: false, steal: false };
const exclusive: WebLockRequest = { ...shared, mode: 'exclusive' };

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const createTable = (log = new SharedLog()): LockTable => new LockTable(nowhere, { log: (machine) => new MemoryLog(log, machine) });

function createParticipant(log: SharedLog): Participant {
  const ignore = (): void => {};
  const events = { changed: ignore, gap: ignore, wake: ignore, stirred: ignore, queued: ignore, replaced: ignore };
  return new Participant(nowhere, threadIdentity(), (machine) => new MemoryLog(log, machine), events);
}

/** Counts what happens in each turn of the event loop from `begin` on, until there were `MANY`. */
async function perTurn(count: () => number, begin: () => unknown): Promise<number[]> {
  const turns: number[] = [];
  await turn();
  // Asked for before what is counted asks for the same.
  let next = turn();
  void begin();
  for (let before = 0; before < MANY; ) {
    await next;
    next = turn();
    turns.push(count() - before);
    before = count();
  }
  return turns;
}

/** Requests that wait behind one that holds, and how many of them have been told anything. */
async function crowd(request: WebLockRequest): Promise<{ table: LockTable; release: () => void; told: () => number }> {
  const table = createTable();
  const first = await table.request(exclusive).granted;
  let told = 0;
  const tell = (): void => void told++;
  for (let each = 0; each < MANY; each++) table.request(request).granted.then(tell, tell);
  return { table, release: () => first?.release(), told: () => told };
}

describe('in one turn, no more than some are told', () => {
  const check = (turns: readonly number[]): void => {
    expect(Math.max(...turns)).toBeLessThanOrEqual(TOLD);
    expect(turns.reduce((sum, each) => sum + each)).toBe(MANY);
  };

  it('that they have the lock', async () => {
    const { release, told } = await crowd(shared);
    check(await perTurn(told, release));
  });

  it('that the table is closed', async () => {
    const { table, told } = await crowd(exclusive);
    check(await perTurn(told, () => table.close()));
  });

  it('that they have lost it', async () => {
    const table = createTable();
    const requests: PendingWebLock[] = Array.from({ length: MANY }, () => table.request(shared));
    let lost = 0;
    for (const { held } of requests) if (held !== null) held.onLost = () => void lost++;
    check(await perTurn(() => lost, () => table.request({ ...exclusive, steal: true })));
  });
});

describe('what has happened', () => {
  it('is known at once, before it is told', async () => {
    const { release, table } = await crowd(shared);
    release();
    expect(table.query().held).toHaveLength(MANY);
  });

  it('is told in order, and once', async () => {
    const table = createTable();
    const first = await table.request(exclusive).granted;
    const told: string[] = [];
    const requests = Array.from({ length: MANY }, (_, index) => {
      const pending = table.request(shared);
      void pending.granted.then((lock) => {
        told.push(`granted ${index}`);
        if (lock !== null) lock.onLost = () => told.push(`lost ${index}`);
      });
      return pending;
    });
    first?.release();
    // Most have not heard of the grant yet when it is taken away.
    table.request({ ...exclusive, steal: true });
    expect(requests.every(({ held }) => held === null)).toBe(true);
    while (told.length < 2 * MANY) await turn();
    for (const what of ['granted', 'lost']) {
      expect(told.filter((each) => each.startsWith(what))).toEqual(Array.from({ length: MANY }, (_, index) => `${what} ${index}`));
    }
    await turn();
    expect(told).toHaveLength(2 * MANY);
  });
});

it('a query copies what it gives in several turns, as of one moment', async () => {
  const table = createTable();
  const manager = createLockManager({ table: () => table, clientId: 'client' });
  const count = 3 * MANY;
  for (let each = 0; each < count; each++) table.request(shared);
  // Its code is loaded.
  await manager.query();
  const asked = manager.query();
  let turns = 0;
  let isDone = false;
  void asked.then(() => (isDone = true));
  await Promise.resolve();
  while (!isDone) {
    await turn();
    turns++;
    if (turns === 2) table.endClient('client');
  }
  expect((await asked).held).toHaveLength(count);
  expect(turns).toBeGreaterThanOrEqual(count / 2048 - 1);
});

it('a snapshot has thousands that wait for one name in a few records', () => {
  const log = new SharedLog();
  const participant = createParticipant(log);
  for (let each = 0; each < 3 * MANY; each++) participant.claim(kinds.request, () => encodeRequest(exclusive));
  log.compact(participant.machine);
  // The table, the session, the one that holds, and those that wait.
  expect(log.snapshot.length).toBeLessThanOrEqual(3 + Math.ceil((3 * MANY) / 4096));
  expect(createTable(log).query().pending).toHaveLength(3 * MANY - 1);
});

it('a realm that comes later reads what thousands have done in several turns', async () => {
  const log = new SharedLog();
  const other = createParticipant(log);
  for (let each = 0; each < MANY; each++) other.claim(kinds.request, () => encodeRequest(exclusive));
  const table = createTable(log);
  const told: number[] = [];
  let turns = 0;
  const asked = [1, 2, 3].map((each) => table.isRead.then(() => void told.push(each)));
  while (told.length === 0) {
    await turn();
    turns++;
  }
  expect(turns).toBeGreaterThan(2);
  await Promise.all([...asked, table.isRead.then(() => void told.push(4))]);
  expect(told).toEqual([1, 2, 3, 4]);
  expect(table.query().pending).toHaveLength(MANY - 1);
});

it('a realm that comes later enters what a snapshot has in several turns', async () => {
  const log = new SharedLog();
  const other = createParticipant(log);
  for (let each = 0; each < 4 * MANY; each++) other.claim(kinds.request, () => encodeRequest(exclusive));
  log.compact(other.machine);
  const last = { ...exclusive, name: 'b' };
  other.claim(kinds.request, () => encodeRequest(last));
  const later = createParticipant(log);
  const restore = vi.spyOn(LockMachine.prototype, 'restore');
  const perTurn: number[] = [];
  while (later.lookSome()) perTurn.push(restore.mock.calls.splice(0).length);
  restore.mockRestore();
  // What is there is read first; then come two of the thousands at most, and what else is there is little.
  expect(perTurn[0]).toBe(0);
  expect(perTurn.length).toBeGreaterThanOrEqual((4 * MANY) / 4096);
  expect(later.machine.query().pending).toHaveLength(4 * MANY - 1);
  expect(later.machine.query().held).toHaveLength(2);
});

it('what is asked for sees all of a snapshot that is still being entered', () => {
  const log = new SharedLog();
  const other = createParticipant(log);
  for (let each = 0; each < 4 * MANY; each++) other.claim(kinds.request, () => encodeRequest(exclusive));
  log.compact(other.machine);
  const later = createParticipant(log);
  later.lookSome();
  later.lookSome();
  expect(later.claim(kinds.request, () => encodeRequest(exclusive)).state).toBe('waiting');
  expect(later.machine.query().pending).toHaveLength(4 * MANY);
});

it('a realm that looks without being asked reads what thousands have done in several turns', async () => {
  const log = new SharedLog();
  const other = createParticipant(log);
  let read = 0;
  const reader = new LockTable(nowhere, {
    log: (machine) => {
      const { apply } = machine;
      machine.apply = (record) => (read++, apply.call(machine, record));
      return new MemoryLog(log, machine);
    },
  });
  other.claim(kinds.request, () => encodeRequest(exclusive));
  // Whoever waits looks by itself.
  reader.request(exclusive).granted.catch(() => {});
  for (let each = 0; each < MANY; each++) other.claim(kinds.request, () => encodeRequest(exclusive));
  read = 0;
  const turns: number[] = [];
  for (let before = 0; read < MANY; before = read) {
    await turn();
    turns.push(read - before);
  }
  expect(Math.max(...turns)).toBeLessThanOrEqual(SOME);
  await reader.close();
  other.close();
});
