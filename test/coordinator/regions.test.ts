import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { encodeFrame } from '../../src/coordinator/sockets/frames.ts';
import { writeValue } from '../../src/disk/values/write-value.ts';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import { coordinationOf } from '../../src/host/coordinator/coordinators.ts';
import type { CoordinatorListing, CoordinatorRegions } from '../../src/host/coordinator/index.ts';
import type { MapState } from '../../src/disk/map/map-state.ts';
import { IndexLog } from '../../src/coordinator/regions/index-log.ts';
import { RegionPeer } from '../../src/coordinator/regions/region-peer.ts';
import { type OrderedLog, RegionStore } from '../../src/coordinator/regions/region-store.ts';
import { logNameOf } from '../../src/host/coordinator/regions.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import type { Hub } from '../../src/sync/hub.ts';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/broadcast-channel/provided.ts';
import { bundleFixture } from '../support/bundle.ts';
import { embeddedHub, type RunningHub, startHub } from '../../src/sync/index.ts';

const program = bundleFixture(new URL('./region-fixture.ts', import.meta.url));

const ORIGIN = 'https://app.example';
const TOKEN = 'a-token-between-regions';
const HUB_TOKEN = 'a-token-of-the-hub';

class Counter extends Coordinator {
  increment(): number {
    const next = this.read() + 1;
    this.localStorage.setItem('n', String(next));
    return next;
  }

  read(): number {
    return Number(this.localStorage.getItem('n') ?? 0);
  }

  async twice(): Promise<number> {
    this.increment();
    await null;
    await this.state.wait(new Promise((resolve) => setTimeout(resolve, 1)));
    return this.increment();
  }

  wakeIn(milliseconds: number): void {
    this.state.setAlarm(Date.now() + milliseconds);
  }

  /** When it is to be woken; how often it was. */
  waking(): [time: number | null, times: number] {
    return [this.state.getAlarm(), Number(this.localStorage.getItem('woken') ?? 0)];
  }

  override alarm(): void {
    this.localStorage.setItem('woken', String(this.waking()[1] + 1));
  }

  /** Makes something beside localStorage; gives why it could not. */
  async make(what: 'file' | 'database' | 'cache' | 'lock' | 'channel' | 'persistence'): Promise<string> {
    const { storage, caches, locks, indexedDB, BroadcastChannel } = this.state.storage;
    const ways: Record<typeof what, () => unknown> = {
      file: async () => (await storage.getDirectory()).getFileHandle('f', { create: true }),
      database: () => opened(indexedDB.open('d')),
      cache: () => caches.open('c'),
      lock: () => locks.request('l', () => 'held'),
      channel: () => new BroadcastChannel('b').postMessage('m'),
      persistence: () => storage.persist(),
    };
    try {
      return `made: ${String(await ways[what]())}`;
    } catch (error) {
      return reasonOf(error as Error);
    }
  }
}

function opened(request: IDBOpenDBRequest): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error as DOMException);
  });
}

/** The messages of an error and of what caused it, with the code of a HoldfastError among them. */
function reasonOf({ message, cause }: Error): string {
  const { code } = (cause ?? {}) as { code?: string };
  return cause === undefined ? message : `${message} ${code ?? ''} ${reasonOf(cause as Error)}`;
}

function folder(): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-coordinator-regions-'));
  onTestFinished(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

async function startedHub(): Promise<RunningHub> {
  const hub = await startHub({ root: path.join(folder(), 'hub'), token: HUB_TOKEN });
  onTestFinished(() => hub.close());
  return hub;
}

/** A server in front of a handler, which can be cut off. */
async function served(handle: () => (request: Request) => Promise<Response>): Promise<{ url: string; close(): void }> {
  const server = http.createServer((incoming, outgoing) => {
    const body = incoming.method === 'POST' ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } : {};
    const request = new Request('http://127.0.0.1/', { method: incoming.method ?? '', headers: incoming.headers as Record<string, string>, ...body } as RequestInit);
    void handle()(request).then(async (response) => {
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      outgoing.end(Buffer.from(await response.arrayBuffer()));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/coordinators`, close };
}

interface Region {
  readonly name: string;
  readonly coordinators: Coordinators;
  readonly hub: Hub;
  /** Nobody reaches it any more, and it reaches the hub no more. */
  cutOff(): void;
  counter(name?: string): ReturnType<typeof stubOf>;
}

const unasked = (): Promise<void> => Promise.reject(new Error('nobody asks'));

const stubOf = (coordinators: Coordinators, name: string) => coordinators.get<Counter>(ORIGIN, 'Counter', name);

async function startRegions(names: readonly string[], options: Partial<CoordinatorRegions> = {}): Promise<{ regions: Region[]; hub: RunningHub }> {
  const hub = await startedHub();
  const started = new Map<string, Coordinators>();
  const servers = new Map<string, Awaited<ReturnType<typeof served>>>();
  for (const name of names) servers.set(name, await served(() => started.get(name)?.handler ?? (() => Promise.reject(new Error('not yet')))));
  const regions = names.map((name): Region => {
    const host = new StorageHost({ root: path.join(folder(), name) });
    const client = embeddedHub({ url: hub.url, token: HUB_TOKEN });
    const peers = Object.fromEntries(names.filter((each) => each !== name).map((each) => [each, { url: servers.get(each)?.url ?? '', token: TOKEN }]));
    const coordinators = new Coordinators(host, { Counter }, { regions: { hub: client, region: name, token: TOKEN, peers, ...options } });
    started.set(name, coordinators);
    onTestFinished(async () => {
      await coordinators.close();
      await client.close();
      await host.close();
    });
    const cutOff = (): void => {
      servers.get(name)?.close();
      void client.close();
    };
    return { name, coordinators, hub: client, cutOff, counter: (of = 'visits') => stubOf(coordinators, of) };
  });
  return { regions, hub };
}

/** The region whose process has the instance. */
function homeOf(regions: readonly Region[]): string[] {
  return regions.filter(({ coordinators }) => [...activities(coordinators)].length > 0).map(({ name }) => name);
}

async function listed(coordinators: Coordinators, origin?: string): Promise<CoordinatorListing[]> {
  const all: CoordinatorListing[] = [];
  for await (const each of coordinators.list(origin === undefined ? {} : { origin })) all.push(each);
  return all;
}

/** What the hub has of alarms. */
async function indexOf({ hub }: Region): Promise<IndexLog> {
  const index = new IndexLog(hub.log('coordinators alarms'));
  await index.catchUp();
  return index;
}

/** What the hub has of the counter, without a call of it. */
async function mapOf({ hub }: Region): Promise<MapState> {
  const store = new RegionStore(hub.log(logNameOf({ origin: ORIGIN, className: 'Counter', name: 'visits' })), { quota: 1e6, lease: 0, announce: unasked, register: unasked });
  await store.look();
  return store.map;
}

function activities(coordinators: Coordinators): Iterable<unknown> {
  return coordinationOf.get(coordinators)?.coordination.activities() ?? [];
}

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

  test('lose nothing that was acknowledged when their region is lost, and go on in another', { timeout: 60_000 }, async () => {
    const { regions } = await startRegions(['eu', 'us', 'asia']);
    const [eu, us, asia] = regions as [Region, Region, Region];
    for (let count = 1; count <= 5; count++) expect(await eu.counter().increment()).toBe(count);
    eu.cutOff();
    expect(await us.counter().increment()).toBe(6);
    expect(await asia.counter().read()).toBe(6);
    // What it has in memory is old, and it says nothing of it.
    await expect(eu.counter().read()).rejects.toMatchObject({ outcome: 'not-run' });
  });

  test('go on in another region where theirs is cut off from the hub, and only from that', { timeout: 60_000 }, async () => {
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

  test('lose nothing, and run nothing twice, when the process that has them is killed again and again, in the end with its disk', { timeout: 120_000 }, async () => {
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

  test('are there after all processes have ended, with snapshots in the place of their history', { timeout: 60_000 }, async () => {
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
    await vi.waitFor(async () => expect((await log.head()).first).toBeGreaterThan(100));
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
    await vi.waitFor(async () => expect(await us.counter().waking()).toEqual([null, 1]), { timeout: 15_000 });
    expect(homeOf(regions)).toEqual(['eu']);
    // What was set for later is not there any more, and nobody looks again.
    await vi.waitFor(async () => expect((await indexOf(us)).machine.size).toBe(0), { timeout: 15_000 });
  });

  test('are woken in another region when theirs is lost', { timeout: 60_000 }, async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const [eu, us] = regions as [Region, Region];
    await us.counter('other').increment();
    await eu.counter().wakeIn(500);
    eu.cutOff();
    await vi.waitFor(() => expect(homeOf([us])).toEqual(['us']));
    await vi.waitFor(async () => expect(await us.counter().waking()).toEqual([null, 1]), { timeout: 30_000, interval: 100 });
  });

  test('are woken in another region when theirs is cut off from the hub alone', { timeout: 60_000 }, async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const [eu, us] = regions as [Region, Region];
    await eu.counter().wakeIn(500);
    await eu.hub.close();
    const woken = async (): Promise<unknown> => (await mapOf(us)).get('woken');
    // Nobody calls it.
    await vi.waitFor(async () => expect(await woken()).toBe('1'), { timeout: 30_000, interval: 100 });
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
    const [atEu, atUs] = ['eu', 'us'].map((region) => ({ address: expect.stringMatching(`^${region}/`), process: null, answers: true }));
    const live = { usedAt: expect.any(Number), waiting: 0, running: 0, failures: 0 };
    expect(await list(eu)).toEqual([
      { ...common, name: 'a', path: `${ORIGIN} coordinator Counter=a`, owner: atEu, alarm: null, live },
      { ...common, name: 'b', path: `${ORIGIN} coordinator Counter=b`, owner: atUs, alarm, live: null },
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

describe('a region that is silent', () => {
  const key = { origin: ORIGIN, className: 'Counter', name: 'visits' };
  const call = { caller: 1, number: 1, method: 'read', args: writeValue([]), chain: [], got: 0, isAgain: false };

  test('is noticed amid a call, which can be sent elsewhere', async () => {
    const requests: string[] = [];
    let isSilent = false;
    const server = http.createServer((request, response) => {
      requests.push(request.headers['content-length'] === '0' ? 'question' : 'call');
      // No call is answered.
      if (!isSilent && request.headers['content-length'] === '0') response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close().closeAllConnections());
    const peer = new RegionPeer('us', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, token: TOKEN }, () => performance.now(), 300);
    // More than there are connections: questions wait for none of them.
    const called = Promise.allSettled(Array.from({ length: 100 }, (_, index) => peer.call(key, { ...call, number: index + 1 })));
    await vi.waitFor(() => expect(requests).toContain('question'));
    isSilent = true;
    for (const outcome of await called) expect(outcome).toMatchObject({ status: 'rejected', reason: { isLost: true } });
  });

  test('and a hub that is: what waits for it ends', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const log = { head: never, append: never, read: never, snapshot: never, putSnapshot: never, trim: never };
    const store = new RegionStore(log, { quota: 1e6, lease: 0, patience: 50, announce: unasked, register: unasked });
    await expect(store.look()).rejects.toMatchObject({ code: 'coordinator-unavailable', outcome: 'not-run' });
  });
});

describe('the handler for other regions', () => {
  const post = (body: Uint8Array | null, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }, method = 'POST'): Request =>
    new Request('https://eu.example/coordinators', { method, headers, ...(body === null ? {} : { body: body as Uint8Array<ArrayBuffer> }) });

  test('lets nobody in without its token, and reads nothing of theirs', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const { handler } = (regions[0] as Region).coordinators;
    for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
      const request = post(Buffer.from('x'), { authorization });
      expect((await handler(request)).status).toBe(401);
      expect(request.bodyUsed).toBe(false);
    }
    expect((await handler(post(null, {}))).status).toBe(401);
    expect((await handler(post(null))).status).toBe(204);
    expect((await handler(post(null, { authorization: `Bearer ${TOKEN}` }, 'GET'))).status).toBe(405);
  });

  test('survives any bytes', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const { handler } = (regions[0] as Region).coordinators;
    const call = [0, 0, ORIGIN, 'Counter', 'visits', 1, 1, 0, 'increment', [], false];
    const framed = (message: readonly unknown[]): Uint8Array => encodeFrame(message, writeValue([]));
    const hostile: Uint8Array[] = [Buffer.from('x'), Buffer.alloc(1000), writeValue('text'), framed([]), framed([1, 2]), framed(call.slice(0, 5)), framed([...call.slice(0, 3), '../..', ...call.slice(4)]), framed([...call.slice(0, 4), 'x'.repeat(600), ...call.slice(5)])];
    const whole = framed(call);
    for (let at = 0; at < whole.length; at += 7) hostile.push(whole.subarray(0, at + 1), Uint8Array.from(whole, (byte, index) => (index === at ? byte ^ 0xff : byte)));
    for (const bytes of hostile) expect((await handler(post(bytes))).status).toBeOneOf([200, 400]);
    expect((await handler(post(whole))).status).toBe(200);
  });

  test('reads no more than a call may have', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 2 ** 20;
        controller.enqueue(new Uint8Array(2 ** 20));
      },
    });
    const request = new Request('https://eu.example/', { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` }, body: endless, duplex: 'half' } as RequestInit);
    expect((await (regions[0] as Region).coordinators.handler(request)).status).toBe(413);
    expect(sent).toBeLessThan(2 ** 26);
  });

  test('wrong options are refused', async () => {
    const hub = embeddedHub({ url: 'http://127.0.0.1:1', token: HUB_TOKEN });
    const host = new StorageHost({ root: path.join(folder(), 'eu') });
    const good = { hub, region: 'eu', token: TOKEN, peers: {} };
    const wrong: unknown[] = [
      { ...good, hub: {} },
      { ...good, region: 'EU/1' },
      { ...good, token: 'short' },
      { ...good, token: [] },
      { ...good, peers: { eu: { url: 'https://eu.example', token: TOKEN } } },
      { ...good, peers: { us: { url: 'http://us.example', token: TOKEN } } },
      { ...good, peers: { us: { url: 'https://u:p@us.example', token: TOKEN } } },
      { ...good, reads: 'fast' },
      { ...good, reads: { leased: 1e9 } },
      { ...good, other: 1 },
    ];
    for (const regions of wrong) expect(() => new Coordinators(host, {}, { regions: regions as never }), JSON.stringify(regions)).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => new Coordinators(host, {}).handler).toThrow(expect.objectContaining({ code: 'bad-option' }));
    await host.close();
    await hub.close();
  });
});
