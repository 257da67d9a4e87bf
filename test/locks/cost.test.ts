import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { PendingWebLock, WebLockRequest } from '../../src/disk/locks/lock-table.ts';
import type { Machine } from '../../src/disk/journal/machine.ts';
import type { LockOutcome } from '../../src/disk/locks/machine.ts';
import type { Participant } from '../../src/disk/locks/participant.ts';
import type { LockTable } from '../../src/disk/locks/table.ts';
import { threadIdentity } from '../../src/runtime/identity.ts';
import { Executions } from '../support/executions.ts';
import { SharedLog } from './memory-log.ts';

const executions = new Executions('/src/disk/locks/', '/src/web-locks/');
const nowhere = { path: '/nowhere', ensure: () => {} };
let code: Awaited<ReturnType<typeof load>>;

/** What is counted, and what runs on it. */
async function load() {
  const { MemoryLog } = await import('./memory-log.ts');
  return {
    ...(await import('../../src/disk/locks/records.ts')),
    ...(await import('../../src/disk/locks/table.ts')),
    ...(await import('../../src/disk/locks/participant.ts')),
    ...(await import('../../src/web-locks/lock-manager.ts')),
    logIn: (shared: SharedLog) => (machine: Machine<LockOutcome>) => new MemoryLog(shared, machine),
  };
}

beforeAll(async () => {
  await executions.start();
  code = await load();
});

afterAll(() => executions.stop());

/** Requests are for one exclusive lock of one client. */
const wanted: WebLockRequest = { name: 'a', mode: 'exclusive', clientId: 'client', ifAvailable: false, steal: false };

function requestMany(table: LockTable, count: number): PendingWebLock[] {
  const requests = Array.from({ length: count }, () => table.request(wanted));
  for (const { granted } of requests) granted.catch(() => {});
  return requests;
}

function createTable(log = new SharedLog()): LockTable {
  return new code.LockTable(nowhere, { log: code.logIn(log) });
}

function createParticipant(log: SharedLog): Participant {
  const ignore = (): void => {};
  const events = { changed: ignore, gap: ignore, wake: ignore, stirred: ignore, queued: ignore, replaced: ignore };
  return new code.Participant(nowhere, threadIdentity(), code.logIn(log), events);
}

/** What is counted is the part that `body` returns: what it does before prepares that. */
type Scenario = (count: number) => Promise<() => unknown>;

async function costOf(scenario: Scenario, count: number): Promise<number> {
  const body = await scenario(count);
  await executions.take();
  await body();
  return executions.take();
}

/** The table, with one request that has the lock and others that wait. */
function crowded(count: number): { table: LockTable; requests: PendingWebLock[] } {
  const table = createTable();
  return { table, requests: requestMany(table, count) };
}

async function releaseAll(requests: readonly PendingWebLock[]): Promise<void> {
  for (const { granted } of requests) (await granted)?.release();
}

const scenarios: Record<string, Scenario> = {
  'requests for one lock': async (count) => {
    const table = createTable();
    return () => requestMany(table, count);
  },
  'a lock that goes from hand to hand': async (count) => {
    const { requests } = crowded(count);
    return () => releaseAll(requests);
  },
  'shared locks that are granted at once, and end': async (count) => {
    const { table, requests } = crowded(1);
    const shared = Array.from({ length: count }, () => table.request({ ...wanted, mode: 'shared' }));
    return () => releaseAll([...requests, ...shared]);
  },
  'withdrawals, from the front': async (count) => {
    const { requests } = crowded(count);
    return () => requests.slice(1).forEach((request) => request.abort());
  },
  'withdrawals, from the back': async (count) => {
    const { requests } = crowded(count);
    return () => requests.slice(1).reverse().forEach((request) => request.abort());
  },
  'the end of a client': async (count) => {
    const { table } = crowded(count);
    return () => table.endClient('client');
  },
  'the end of a client that holds': async (count) => {
    const table = createTable();
    for (let each = 0; each < count; each++) table.request({ ...wanted, mode: 'shared' });
    return () => table.endClient('client');
  },
  'the ends of many clients of one session': async (count) => {
    const { table } = crowded(1);
    for (let each = 0; each < count; each++) table.request({ ...wanted, clientId: `${each}` }).granted.catch(() => {});
    return () => {
      for (let each = 0; each < count; each++) table.endClient(`${each}`);
    };
  },
  'a shared grant to all who wait': async (count) => {
    const { table, requests: [first] } = crowded(1);
    for (let each = 0; each < count; each++) table.request({ ...wanted, mode: 'shared' });
    const lock = await first?.granted;
    return () => lock?.release();
  },
  'a steal from all who share': async (count) => {
    const table = createTable();
    for (let each = 0; each < count; each++) table.request({ ...wanted, mode: 'shared' });
    return () => table.request({ ...wanted, steal: true });
  },
  'a query': async (count) => {
    const { table } = crowded(count);
    return () => table.query();
  },
  'a snapshot': async (count) => {
    const log = new SharedLog();
    const participant = createParticipant(log);
    for (let each = 0; each < count; each++) participant.claim(code.kinds.request, () => code.encodeRequest(wanted));
    return () => log.compact(participant.machine);
  },
  'a close': async (count) => {
    const { table } = crowded(count);
    return () => table.close();
  },
  'a look at who is in the way': async (count) => {
    const log = new SharedLog();
    createTable(log).request({ ...wanted, name: 'b' });
    const participant = createParticipant(log);
    for (const name of ['b', ...Array.from({ length: count }, () => 'a')]) {
      participant.claim(code.kinds.request, () => code.encodeRequest({ ...wanted, name }));
    }
    return () => participant.sessionsAhead();
  },
  'requests with one signal, which aborts': async (count) => {
    const manager = code.createLockManager({ table: () => createTable(), clientId: 'client' });
    const end = new AbortController();
    const requests = Array.from({ length: count }, () => manager.request('a', { signal: end.signal }, () => new Promise(() => {})));
    await vi.waitFor(async () => expect((await manager.query()).pending.length).toBe(count - 1), { timeout: 60_000 });
    return async () => {
      end.abort();
      await Promise.allSettled(requests.slice(1));
    };
  },
  'locks on one file that others share': async (count) => {
    const table = createTable();
    return async () => {
      for (let each = 0; each < count; each++) await table.lockFile(['f'], 'read-only');
    };
  },
  'a directory and what is in it, removed by turns': async (count) => {
    const table = createTable();
    const remove = (kind: 'file' | 'directory', ...source: string[]): Promise<unknown> =>
      table.operate({ operation: 'remove', kind, source }, async () => ({ changed: true, value: 0 }));
    const removals = (): Promise<unknown>[] =>
      Array.from({ length: count }, (_, index) => [remove('directory', 'd'), remove('file', 'd', `${index}`)]).flat();
    return () => Promise.all(removals());
  },
};

/** Functions and loops run of our code for each of many claims, in what they go through at once. */
const limits: Record<string, number> = {
  'a shared grant to all who wait': 23,
  'the end of a client': 18,
  'the end of a client that holds': 14,
  'a close': 24,
  'a steal from all who share': 14,
  'a query': 6,
};

describe('takes few steps for each of many', () => {
  it.each(Object.entries(limits))('%s', async (name, limit) => {
    const scenario = scenarios[name] ?? expect.fail('no such scenario');
    await costOf(scenario, 100);
    const [single, double] = [await costOf(scenario, 1000), await costOf(scenario, 2000)];
    expect((double - single) / 1000).toBeLessThanOrEqual(limit);
  });
});

describe('for twice as many, takes at most twice as much, not four times', () => {
  it.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    await costOf(scenario, 100);
    const [single, double] = [await costOf(scenario, 1000), await costOf(scenario, 2000)];
    expect(single).toBeGreaterThan(0);
    expect(double / single).toBeLessThan(2.2);
  });
});
