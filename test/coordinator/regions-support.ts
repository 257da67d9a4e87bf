import http from 'node:http';
import type { AddressInfo } from 'node:net';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { onTestFinished } from 'vitest';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import { coordinationOf } from '../../src/host/coordinator/coordinators.ts';
import type { CoordinatorListing, CoordinatorRegions } from '../../src/host/coordinator/index.ts';
import type { MapState } from '../../src/disk/map/map-state.ts';
import { IndexLog } from '../../src/coordinator/regions/index-log.ts';
import { RegionStore } from '../../src/coordinator/regions/region-store.ts';
import { logNameOf } from '../../src/host/coordinator/log-names.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import type { Hub } from '../../src/sync/hub.ts';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/broadcast-channel/provided.ts';
import { embeddedHub, type RunningHub, startHub } from '../../src/sync/index.ts';

export const ORIGIN = 'https://app.example';
export const TOKEN = 'a-token-between-regions';
export const HUB_TOKEN = 'a-token-of-the-hub';

let onHold: (release: () => void) => void = () => undefined;

/** Resolves when a call of `hold()` runs in this process; to what ends it. */
export function held(): Promise<() => void> {
  return new Promise((resolve) => (onHold = resolve));
}

export class Counter extends Coordinator {
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

  /** Runs until somebody calls what `held()` gives. */
  async hold(): Promise<void> {
    await this.state.wait(new Promise<void>((resolve) => onHold(resolve)));
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

export function folder(): string {
  const made = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-coordinator-regions-'));
  onTestFinished(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

export async function startedHub(): Promise<RunningHub> {
  const hub = await startHub({ root: path.join(folder(), 'hub'), token: HUB_TOKEN });
  onTestFinished(() => hub.close());
  return hub;
}

/** A handler, as a server of Node's calls it. */
export function listener(handle: () => (request: Request) => Promise<Response>): http.RequestListener {
  return (incoming, outgoing) => {
    const body = incoming.method === 'POST' ? { body: Readable.toWeb(incoming) as ReadableStream, duplex: 'half' } : {};
    const request = new Request('http://127.0.0.1/', { method: incoming.method ?? '', headers: incoming.headers as Record<string, string>, ...body } as RequestInit);
    void handle()(request).then(async (response) => {
      outgoing.writeHead(response.status, Object.fromEntries(response.headers));
      outgoing.end(Buffer.from(await response.arrayBuffer()));
    });
  };
}

/** A server in front of a handler, which can be cut off. */
export async function served(handle: () => (request: Request) => Promise<Response>): Promise<{ url: string; close(): void }> {
  const server = http.createServer(listener(handle));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  onTestFinished(close);
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/coordinators`, close };
}

export interface Region {
  readonly name: string;
  readonly coordinators: Coordinators;
  readonly hub: Hub;
  readonly root: string;
  /** Nobody reaches it any more, and it reaches the hub no more. */
  cutOff(): void;
  counter(name?: string): ReturnType<typeof stubOf>;
}

export const unasked = (): Promise<void> => Promise.reject(new Error('nobody asks'));

export const stubOf = (coordinators: Coordinators, name: string) => coordinators.get<Counter>(ORIGIN, 'Counter', name);

export async function startRegions(names: readonly string[], options: Partial<CoordinatorRegions> = {}): Promise<{ regions: Region[]; hub: RunningHub }> {
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
    return { name, coordinators, hub: client, root: host.root, cutOff, counter: (of = 'visits') => stubOf(coordinators, of) };
  });
  return { regions, hub };
}

/** The region whose process has the instance. */
export function homeOf(regions: readonly Region[]): string[] {
  return regions.filter(({ coordinators }) => [...activities(coordinators)].length > 0).map(({ name }) => name);
}

export async function listed(coordinators: Coordinators, origin?: string): Promise<CoordinatorListing[]> {
  const all: CoordinatorListing[] = [];
  for await (const each of coordinators.list(origin === undefined ? {} : { origin })) all.push(each);
  return all;
}

/** What the hub has of alarms. */
export async function indexOf({ hub }: Region): Promise<IndexLog> {
  const index = new IndexLog(hub.log('coordinators alarms'));
  await index.catchUp();
  return index;
}

/** What the hub has of the counter, without a call of it. */
export async function mapOf({ hub }: Region): Promise<MapState> {
  const store = new RegionStore(hub.log(logNameOf({ origin: ORIGIN, className: 'Counter', name: 'visits' })), { quota: 1e6, lease: 0, announce: unasked, register: unasked });
  await store.look();
  return store.map;
}

export function activities(coordinators: Coordinators): Iterable<unknown> {
  return coordinationOf.get(coordinators)?.coordination.activities() ?? [];
}
