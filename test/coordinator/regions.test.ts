import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import type { CoordinatorListing } from '../../src/host/coordinator/index.ts';
import { type OrderedLog, RegionStore } from '../../src/coordinator/regions/region-store.ts';
import { logNameOf } from '../../src/host/coordinator/log-names.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import type { Hub } from '../../src/sync/hub.ts';
import { bundleFixture } from '../support/bundle.ts';
import { embeddedHub } from '../../src/sync/index.ts';
import { Counter, HUB_TOKEN, ORIGIN, TOKEN, folder, homeOf, indexOf, listed, mapOf, served, startRegions, startedHub, stubOf, unasked, type Region } from './regions-support.ts';

const program = bundleFixture(new URL('./region-fixture.ts', import.meta.url));
const PATIENCE = { timeout: 60_000, interval: 100 };

describe('coordinators of three regions', () => {
  test('live in the region of their first call, and are called from all', async () => {
    const { regions } = await startRegions(['eu', 'us', 'asia']);
    const [eu, us, asia] = regions as [Region, Region, Region];
    expect(await us.counter().increment()).toBe(1);
    expect(await eu.counter().increment()).toBe(2);
    expect(await asia.counter().read()).toBe(2);
    expect(homeOf(regions)).toEqual(['us']);
    const results = await Promise.all(Array.from({ length: 30 }, (_, index) => (regions[index % 3] as Region).counter().increment()));
    expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, index) => index + 3));
    expect(await asia.counter().twice()).toBe(34);
  });

  test('that are called by all at once live in one', async () => {
    const { regions } = await startRegions(['eu', 'us', 'asia']);
    const results = await Promise.all(regions.flatMap((region) => Array.from({ length: 5 }, () => region.counter().increment())));
    expect(results.sort((a, b) => a - b)).toEqual(Array.from({ length: 15 }, (_, index) => index + 1));
  });

  test('lose nothing that was acknowledged when their region is lost, and go on in another', async () => {
    const { regions } = await startRegions(['eu', 'us', 'asia']);
    const [eu, us, asia] = regions as [Region, Region, Region];
    for (let count = 1; count <= 5; count++) expect(await eu.counter().increment()).toBe(count);
    eu.cutOff();
    expect(await us.counter().increment()).toBe(6);
    expect(await asia.counter().read()).toBe(6);
    // What it has in memory is old, and it says nothing of it.
    await expect(eu.counter().read()).rejects.toMatchObject({ outcome: 'not-run' });
  });

  test('go on in another region where theirs is cut off from the hub, and only from that', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const [eu, us] = regions as [Region, Region];
    expect(await us.counter('other').increment()).toBe(1);
    expect(await eu.counter().increment()).toBe(1);
    await eu.hub.close();
    // What runs there when it happens is reset; from then on the region says that it cannot.
    await us.counter().read().catch(() => undefined);
    expect(await us.counter().increment()).toBe(2);
    expect(await us.counter('other').increment()).toBe(2);
  });

  test('lose nothing, and run nothing twice, when the process that has them is killed again and again, in the end with its disk', async () => {
    const hub = await startedHub();
    const root = path.join(folder(), 'eu');
    const { url, close } = await served(() => () => Promise.reject(new Error('nobody')));
    close();
    const start = async (): Promise<ChildProcess> => {
      const child = spawn(process.execPath, [await program, root, hub.url, HUB_TOKEN, TOKEN, new URL(url).port], { stdio: ['ignore', 'pipe', 'inherit'] });
      onTestFinished(() => void child.kill('SIGKILL'));
      await once(child.stdout, 'data');
      return child;
    };
    const host = new StorageHost({ root: path.join(folder(), 'us') });
    const client = embeddedHub({ url: hub.url, token: HUB_TOKEN });
    const coordinators = new Coordinators(host, {}, { regions: { hub: client, region: 'us', token: TOKEN, peers: { eu: { url, token: TOKEN } } } });
    let count = 0;
    for (let kills = 0; kills < 3; kills++) {
      const child = await start();
      for (let calls = 0; calls < 5; calls++) expect(await coordinators.get<Counter>(ORIGIN, 'Counter', 'visits').increment()).toBe((count += 1));
      const exited = once(child, 'exit');
      child.kill('SIGKILL');
      await exited;
    }
    await coordinators.close();
    // The machine is gone with its disk, and another region runs what it had.
    fs.rmSync(root, { recursive: true });
    const heir = new Coordinators(host, { Counter }, { regions: { hub: client, region: 'us', token: TOKEN, peers: { eu: { url, token: TOKEN } } } });
    expect(await heir.get(ORIGIN, Counter, 'visits').increment()).toBe(count + 1);
    await heir.close();
    await client.close();
    await host.close();
  });

  test('that were taken over acknowledge neither writes nor reads', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const [eu, us] = regions as [Region, Region];
    await eu.counter().increment();
    // As if us could not reach eu, which goes on.
    const key = { origin: ORIGIN, className: 'Counter', name: 'visits' };
    const thief = new RegionStore(us.hub.log(logNameOf(key)), { quota: 1e6, lease: 0, announce: unasked, register: unasked });
    await thief.look();
    expect(await thief.claim('us/nobody')).toBe(true);
    thief.map.put('n', '100');
    expect(await thief.settle({ steps: [], alarm: undefined, got: [], begun: [], ended: [] })).toBe('settled');
    // It finds out, and takes its turn again.
    expect(await eu.counter().increment()).toBe(2);
    expect(await thief.check()).toBe(false);
    expect(await thief.settle({ steps: [], alarm: undefined, got: [], begun: [], ended: [] })).toBe('deposed');
  });

  test('are there after all processes have ended, with snapshots in the place of their history', async () => {
    const hub = await startedHub();
    const open = (): { counter: ReturnType<typeof stubOf>; client: Hub; end(): Promise<void> } => {
      const host = new StorageHost({ root: path.join(folder(), 'eu') });
      const client = embeddedHub({ url: hub.url, token: HUB_TOKEN });
      const coordinators = new Coordinators(host, { Counter }, { regions: { hub: client, region: 'eu', token: TOKEN, peers: {} } });
      const end = async (): Promise<void> => {
        await coordinators.close();
        await client.close();
        await host.close();
      };
      return { counter: stubOf(coordinators, 'visits'), client, end };
    };
    const first = open();
    for (let count = 0; count < 262; count++) await first.counter.increment();
    const log = first.client.log(logNameOf({ origin: ORIGIN, className: 'Counter', name: 'visits' }));
    await vi.waitFor(async () => expect((await log.head()).first).toBeGreaterThan(100), PATIENCE);
    await first.end();
    const second = open();
    expect(await second.counter.increment()).toBe(263);
    await second.end();
  });

  test('with leased reads, answer from memory, and whoever takes over waits', async () => {
    const { regions } = await startRegions(['eu', 'us'], { reads: { leased: 1500 } });
    const [eu, us] = regions as [Region, Region];
    await eu.counter().increment();
    const head = vi.spyOn(Object.getPrototypeOf(eu.hub.log('x')), 'head');
    for (let count = 0; count < 20; count++) expect(await eu.counter().read()).toBe(1);
    expect(head.mock.calls.length).toBeLessThan(20);
    head.mockRestore();
    const began = performance.now();
    eu.cutOff();
    expect(await us.counter().increment()).toBe(2);
    expect(performance.now() - began).toBeGreaterThan(1000);
  });

  test('are woken in their region, once', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const [eu, us] = regions as [Region, Region];
    await eu.counter().wakeIn(100_000);
    expect((await us.counter().waking())[0]).toBeGreaterThan(Date.now() + 50_000);
    await us.counter().wakeIn(50);
    await vi.waitFor(async () => expect(await us.counter().waking()).toEqual([null, 1]), PATIENCE);
    expect(homeOf(regions)).toEqual(['eu']);
    // What was set for later is not there any more, and nobody looks again.
    await vi.waitFor(async () => expect((await indexOf(us)).machine.size).toBe(0), PATIENCE);
  });

  test('are woken in another region when theirs is lost', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const [eu, us] = regions as [Region, Region];
    await us.counter('other').increment();
    await eu.counter().wakeIn(500);
    eu.cutOff();
    await vi.waitFor(() => expect(homeOf([us])).toEqual(['us']), PATIENCE);
    await vi.waitFor(async () => expect(await us.counter().waking()).toEqual([null, 1]), PATIENCE);
  });

  test('are woken in another region when theirs is cut off from the hub alone', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const [eu, us] = regions as [Region, Region];
    await eu.counter().wakeIn(500);
    await eu.hub.close();
    const woken = async (): Promise<unknown> => (await mapOf(us)).get('woken');
    // Nobody calls it.
    await vi.waitFor(async () => expect(await woken()).toBe('1'), PATIENCE);
  });

  test('are listed by the origin, wherever they are', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const [eu, us] = regions as [Region, Region];
    await eu.counter('a').increment();
    await us.counter('b').wakeIn(100_000);
    await us.counter('b').increment();
    const list = async ({ coordinators }: Region): Promise<CoordinatorListing[]> => (await listed(coordinators, ORIGIN)).sort((a, b) => String(a.name).localeCompare(String(b.name)));
    const common = { origin: ORIGIN, className: 'Counter', epoch: 1, bytes: 4, items: 1 };
    const alarm = { time: expect.any(Number), attempt: 0 };
    const ownerAt = (region: string, id: number | null): object => ({ address: expect.stringMatching(`^${region}/`), region, process: id, answers: true });
    const live = { usedAt: expect.any(Number), waiting: 0, running: 0, failures: 0 };
    expect(await list(eu)).toEqual([
      { ...common, name: 'a', path: `${ORIGIN} coordinator Counter=a`, owner: ownerAt('eu', process.pid), alarm: null, live },
      { ...common, name: 'b', path: `${ORIGIN} coordinator Counter=b`, owner: ownerAt('us', null), alarm, live: null },
    ]);
    eu.cutOff();
    expect(await list(us)).toMatchObject([{ name: 'a', owner: { answers: false } }, { name: 'b', owner: { answers: true }, live }]);
    await expect(listed(us.coordinators)).rejects.toMatchObject({ code: 'bad-option' });
    expect(await listed(us.coordinators, 'https://other.example')).toEqual([]);
  });

  test('refuse what lives on one machine', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const [eu, us] = regions as [Region, Region];
    for (const what of ['file', 'database', 'cache', 'lock', 'channel', 'persistence'] as const) {
      expect.soft(await eu.counter().make(what), what).toMatch(/bad-option A coordinator that a hub keeps has localStorage only/);
    }
    expect(await us.counter().increment()).toBe(1);
  });
});

test('a turn takes two round trips to the hub, one more where it sets an alarm, and a read takes one', async () => {
  const { regions } = await startRegions(['eu']);
  const log = (regions[0] as Region).hub.log('x');
  let [rounds, underWay] = [0, 0];
  /** Questions that are asked at once are one round trip. */
  const counted = async <Result>(work: Promise<Result>): Promise<Result> => {
    if ((underWay += 1) === 1) rounds += 1;
    return await work.finally(() => (underWay -= 1));
  };
  const roundsOf = async (work: () => Promise<unknown>): Promise<number> => {
    rounds = 0;
    await work();
    return rounds;
  };
  const ordered: OrderedLog = {
    head: () => counted(log.head()),
    append: (entries) => counted(log.append(entries)),
    read: (after, limit) => counted(log.read(after, limit)),
    snapshot: () => counted(log.snapshot()),
    putSnapshot: (snapshot) => counted(log.putSnapshot(snapshot)),
    trim: (upTo) => counted(log.trim(upTo)),
  };
  const asked = (): Promise<void> => counted(Promise.resolve());
  const store = new RegionStore(ordered, { quota: 1e6, lease: 0, announce: asked, register: asked });
  const turn = { steps: [], alarm: undefined, got: [], begun: [], ended: [] };
  expect(await roundsOf(() => store.look())).toBe(1);
  expect(await roundsOf(() => store.claim('eu/x'))).toBe(3);
  expect(await roundsOf(() => store.settle(turn))).toBe(2);
  expect(await roundsOf(() => store.settle({ ...turn, alarm: { time: 1, attempt: 0 } }))).toBe(3);
  expect(await roundsOf(() => store.check())).toBe(1);
});
