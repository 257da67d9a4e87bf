import { expect, test } from 'vitest';
import { Replica } from '../../src/disk/replica/replica.ts';
import type { Follower } from '../../src/sync/connection.ts';
import { FilesModel } from '../../src/sync/files/files-model.ts';
import { fileReferences } from '../../src/sync/files/references.ts';
import type { Hub, HubLog } from '../../src/sync/hub.ts';
import { HubConnection } from '../../src/sync/membership/hub-connection.ts';
import { SealedConnection } from '../../src/sync/sealed/sealed-connection.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { MemoryEngine, memoryHub, type MemoryLog } from '../support/memory-hub.ts';
import { sourceWith } from './sync-attacks.ts';
import { openHost, ORIGIN, read, regionOf, write } from './sync-regions.ts';

const NAME = `${ORIGIN} files`;

/** With the files of a plain origin. */
const before = new MemoryEngine();

async function filled(): Promise<void> {
  if (before.logs.size > 0) return;
  const host = openHost(memoryHub(before), 'eu', { encryption: undefined });
  const region = regionOf(host);
  for (let count = 0; count < 5; count += 1) await write(region, `canary-${count}`, `canary-${count}`.repeat(20_000 * count + 1));
  await region.sync.flush();
  await (await region.storage.getDirectory()).removeEntry('canary-1');
  await region.sync.flush();
  await host.close();
}

function copyOf(engine: MemoryEngine): MemoryEngine {
  const copy = new MemoryEngine();
  for (const [name, { epoch, entries, first, snapshot, blobs, named }] of engine.logs) {
    const log = Object.assign(copy.log(name), { epoch, entries: [...entries], first, snapshot }) as MemoryLog;
    for (const [key, bytes] of blobs) log.blobs.set(key, bytes);
    for (const [key, position] of named) log.named.set(key, position);
  }
  return copy;
}

/** A hub that does so many things more; then its client is dead. `asked`: how many it was asked for. */
function dying(engine: MemoryEngine, left: number): { readonly hub: Hub; asked: number } {
  const hub = memoryHub(engine);
  const state = { asked: 0, hub: { name: hub.name, connect: () => hub.connect(), close: () => hub.close(), log: (name: string) => mortal(hub.log(name)) } };
  const mortal = (log: HubLog): HubLog => new Proxy(log, {
    get: (_, key) => {
      const method: unknown = Reflect.get(log, key);
      if (typeof method !== 'function') return method;
      return (...given: unknown[]): unknown => {
        if (state.asked++ >= left) return Promise.reject(new HoldfastError('closed', 'It was killed.'));
        return Reflect.apply(method as () => unknown, log, given);
      };
    },
  });
  return state;
}

async function bring(hub: Hub): Promise<SealedConnection> {
  const connection = new SealedConnection(HubConnection.to(hub), sourceWith(7, [], ORIGIN), { plain: 'migrate' });
  const follower: Follower = { name: NAME, journal: { current: () => new Replica(new FilesModel()) }, model: () => new FilesModel(), references: fileReferences };
  await connection.connect();
  await connection.bring(follower, () => undefined);
  return connection;
}

/** All that is left in the hub, in clear. */
function shownBy(engine: MemoryEngine): string[] {
  const shown: string[] = [];
  for (const [name, { entries, snapshot, blobs }] of engine.logs) {
    for (const bytes of [...entries.map((entry) => entry.bytes), snapshot?.bytes ?? new Uint8Array(0), ...blobs.values()]) if (Buffer.from(bytes).includes('canary-')) shown.push(name);
  }
  return shown;
}

async function requireWhole(engine: MemoryEngine): Promise<void> {
  expect(shownBy(engine)).toEqual([]);
  const region = regionOf(openHost(memoryHub(engine), 'fresh'));
  await region.sync.caughtUp();
  for (const count of [0, 2, 3, 4]) expect(await read(region, `canary-${count}`)).toBe(`canary-${count}`.repeat(20_000 * count + 1));
  expect(region.sync.status()).toMatchObject({ rejected: 0, problem: '' });
}

async function killedAt(step: number): Promise<{ readonly engine: MemoryEngine; readonly asked: number }> {
  const engine = copyOf(before);
  const life = dying(engine, step);
  await bring(life.hub).catch((error: unknown) => {
    if (!(error instanceof HoldfastError) || error.code !== 'closed') throw error;
  });
  return { engine, asked: life.asked };
}

test('killed at each step, whoever comes next ends it, and all is there and nothing in clear', { timeout: 120_000 }, async () => {
  await filled();
  expect(shownBy(before)).not.toEqual([]);
  const { asked, engine: whole } = await killedAt(Infinity);
  expect(asked).toBeGreaterThan(30);
  await requireWhole(whole);
  for (let step = 0; step < asked; step += 1) {
    const { engine } = await killedAt(step);
    await bring(memoryHub(engine));
    expect(shownBy(engine)).toEqual([]);
    // It stands for what it would have stood for.
    const [log, expected] = await Promise.all([engine, whole].map(async (each) => (await bring(memoryHub(each))).log(NAME)));
    const [snapshot, head] = [await log?.snapshot(), await log?.head()];
    expect(head?.first).toBe(2);
    expect(withoutEpochs(snapshot?.bytes)).toEqual(withoutEpochs((await expected?.snapshot())?.bytes));
    if (step % 10 === 0) await requireWhole(engine);
  }
});

/** Each log of each run has an epoch of its own. */
function withoutEpochs(bytes: Uint8Array = new Uint8Array(0)): string {
  return Buffer.from(bytes.subarray(0, -32)).toString('latin1').replace(/.epoch-\d+/s, '');
}

test('two that do it at once, one of them killed at each step, come to one end', { timeout: 120_000 }, async () => {
  await filled();
  const { asked } = await killedAt(Infinity);
  for (let step = 0; step < asked; step += 3) {
    const engine = copyOf(before);
    const one = bring(dying(engine, step).hub).catch(() => undefined);
    const other = bring(memoryHub(engine)).catch(() => undefined);
    await Promise.all([one, other]);
    await bring(memoryHub(engine));
    expect(shownBy(engine)).toEqual([]);
    if (step % 12 === 0) await requireWhole(engine);
  }
});
