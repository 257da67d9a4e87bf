import { Replica } from '../../src/disk/replica/replica.ts';
import type { Follower } from '../../src/sync/connection.ts';
import { FilesModel } from '../../src/sync/files/files-model.ts';
import { fileReferences } from '../../src/sync/files/references.ts';
import type { Hub, HubLog } from '../../src/sync/hub.ts';
import { HubConnection } from '../../src/sync/membership/hub-connection.ts';
import type { SealedConnection } from '../../src/sync/sealed/sealed-connection.ts';
import { MemoryEngine, memoryHub, type MemoryLog } from '../support/memory-hub.ts';
import { sourceWith } from './sync-attacks.ts';
import { openHost, ORIGIN, regionOf, write } from './sync-regions.ts';
import type * as Product from './synced.product.ts';

/** The log whose handover is tested. */
export const NAME = `${ORIGIN} files`;

/** What takes part in it: all of one kind, for errors are told by their class. */
export type Variant = typeof Product;

/** A hub with the files of a plain origin. */
export async function plainFiles(): Promise<MemoryEngine> {
  const engine = new MemoryEngine();
  const host = openHost(memoryHub(engine), 'eu', { encryption: undefined });
  const region = regionOf(host);
  for (let count = 0; count < 5; count += 1) await write(region, `canary-${count}`, contentOf(count));
  await region.sync.flush();
  await (await region.storage.getDirectory()).removeEntry('canary-1');
  await region.sync.flush();
  await host.close();
  return engine;
}

export function contentOf(count: number): string {
  return `canary-${count}`.repeat(20_000 * count + 1);
}

export function copyOf(engine: MemoryEngine, variant: Variant): MemoryEngine {
  const copy = new variant.MemoryEngine();
  for (const [name, { epoch, entries, first, snapshot, blobs, named }] of engine.logs) {
    const log = Object.assign(copy.log(name), { epoch, entries: [...entries], first, snapshot }) as MemoryLog;
    for (const [key, bytes] of blobs) log.blobs.set(key, bytes);
    for (const [key, position] of named) log.named.set(key, position);
  }
  return copy;
}

/** A hub that does so many things more; then its client is dead. `asked`: how many it was asked for. */
export function dying(engine: MemoryEngine, left: number, { HoldfastError, memoryHub: hubOf }: Variant): { readonly hub: Hub; asked: number } {
  const hub = hubOf(engine);
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

/** Has the encrypted log go on from the plain one, for a region that knows nothing of either. */
export async function bring(hub: Hub, variant: Variant): Promise<SealedConnection> {
  const connection = new variant.SealedConnection(HubConnection.to(hub), sourceWith(7, [], ORIGIN), { plain: 'migrate' });
  const follower: Follower = { name: NAME, journal: { current: () => new Replica(new FilesModel()) }, model: () => new FilesModel(), references: fileReferences };
  await connection.connect();
  await connection.bring(follower, () => undefined);
  return connection;
}

/** The same by one who is killed when the hub was asked so many times. */
export async function killedAt(step: number, before: MemoryEngine, variant: Variant): Promise<{ readonly engine: MemoryEngine; readonly asked: number }> {
  const engine = copyOf(before, variant);
  const life = dying(engine, step, variant);
  await bring(life.hub, variant).catch((error: unknown) => {
    if ((error as { code?: unknown }).code !== 'closed') throw error;
  });
  return { engine, asked: life.asked };
}

/** The logs of which something is in clear. */
export function shownBy(engine: MemoryEngine): string[] {
  const shown: string[] = [];
  for (const [name, { entries, snapshot, blobs }] of engine.logs) {
    for (const bytes of [...entries.map((entry) => entry.bytes), snapshot?.bytes ?? new Uint8Array(0), ...blobs.values()]) if (Buffer.from(bytes).includes('canary-')) shown.push(name);
  }
  return shown;
}

/** What the encrypted log stands for, as whoever comes next finds it. */
export async function standing(engine: MemoryEngine, variant: Variant): Promise<{ readonly first: number; readonly snapshot: string }> {
  const log = (await bring(variant.memoryHub(engine), variant)).log(NAME);
  const [snapshot, { first }] = [await log.snapshot(), await log.head()];
  return { first, snapshot: withoutEpochs(snapshot?.bytes) };
}

/** Each log of each run has an epoch of its own. */
function withoutEpochs(bytes: Uint8Array = new Uint8Array(0)): string {
  return Buffer.from(bytes.subarray(0, -32)).toString('latin1').replace(/.epoch-\d+/s, '');
}
