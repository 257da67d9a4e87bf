import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
import type { Hub, HubLog } from '../../src/sync/hub.ts';
import { HubConnection } from '../../src/sync/membership/hub-connection.ts';
import { SealedConnection } from '../../src/sync/sealed/sealed-connection.ts';
import { runHere } from '../cli/support.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { codeLater, treeHas } from './support.ts';
import { KEY, newRoot, openHost, openRegion, ORIGIN, read, regionOf, write, type Region } from './sync-regions.ts';
import { StorageHost } from '../../src/index.ts';
import { repaired, sourceWith } from './sync-attacks.ts';

const migrating = { key: KEY, plain: 'migrate' } as const;
const LARGE = 'canary-large'.repeat(30_000);

/** Everything that a hub in memory holds. */
function heldBy(engine: MemoryEngine): string {
  const parts: Uint8Array[] = [];
  for (const { entries, snapshot, blobs } of engine.logs.values()) parts.push(...entries.map(({ bytes }) => bytes), snapshot?.bytes ?? new Uint8Array(0), ...blobs.values());
  return Buffer.concat(parts).toString('latin1');
}

interface Plain {
  readonly engine: MemoryEngine;
  readonly roots: readonly [string, string];
  readonly hosts: readonly [StorageHost, StorageHost];
  readonly regions: readonly [Region, Region];
}

/** Two regions without a key, which have the same. */
async function plainRegions(): Promise<Plain> {
  const engine = new MemoryEngine();
  const roots = [newRoot(), newRoot()] as const;
  const open = (name: string, root: string): StorageHost => openHost(memoryHub(engine), name, { root, encryption: undefined });
  const hosts = [open('eu', roots[0]), open('us', roots[1])] as const;
  const regions = [regionOf(hosts[0]), regionOf(hosts[1])] as const;
  const [eu, us] = regions;
  eu.localStorage.setItem('a', 'canary-a');
  eu.localStorage.setItem('large', LARGE);
  us.localStorage.setItem('b', 'canary-b');
  await write(eu, 'canary-file', 'canary-content');
  await write(eu, 'canary-large', LARGE);
  await write(us, 'canary-gone', 'canary-gone');
  await write(us, 'one', '1');
  for (const region of regions) await region.sync.flush();
  for (const region of regions) await region.sync.caughtUp();
  expect(heldBy(engine)).toContain('canary-');
  return { engine, roots, hosts, regions };
}

test('the command that encrypts in place tells of the hub that an origin follows, where it encrypts nothing', async () => {
  const { engine, roots: [root], hosts } = await plainRegions();
  for (const host of hosts) await host.close();
  const alone = new StorageHost({ root });
  alone.origin('https://alone.example').localStorage.setItem('k', 'v');
  await alone.close();
  const file = path.join(path.dirname(root), 'key');
  fs.writeFileSync(file, KEY);
  const { code, out, err } = await runHere(root, ['encrypt', '--all', '--key-file', file]);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out.split('\n').filter((line) => line.includes('follows a hub'))).toEqual([expect.stringMatching(new RegExp(`^${ORIGIN} follows a hub \\([^)]+\\), where this encrypts nothing: `))]);
  expect(treeHas(root, 'canary-content')).toEqual([]);
  expect(heldBy(engine)).toContain('canary-');
});

test('a plain log is gone on from: regions that get the key have what all have written, and regions without it stop', { timeout: 180_000 }, async () => {
  const { engine, roots, hosts, regions: [, us] } = await plainRegions();
  await hosts[0].close();
  const eu = openRegion(memoryHub(engine), 'eu', { root: roots[0], encryption: migrating });
  eu.localStorage.setItem('a', 'canary-c');
  await eu.sync.caughtUp();
  await write(eu, 'canary-file', 'canary-more');
  await (await eu.storage.getDirectory()).removeEntry('canary-gone');
  await eu.sync.flush();
  expect(await read(eu, 'one')).toBe('1');
  us.localStorage.setItem('late', 'canary-late');
  await write(us, 'canary-late', 'canary-late');
  await write(us, 'canary-large', 'canary-changed');
  expect(await codeLater(us.sync.flush())).toBe('key-missing');
  expect(us.localStorage.getItem('a')).toBe('canary-a');
  await hosts[1].close();
  const back = openRegion(memoryHub(engine), 'us', { root: roots[1], encryption: migrating });
  await back.sync.flush();
  await back.sync.caughtUp();
  await eu.sync.caughtUp();
  for (const region of [eu, back]) {
    expect({ ...region.localStorage }).toEqual({ a: 'canary-c', b: 'canary-b', large: LARGE, late: 'canary-late' });
    const names: string[] = [];
    for await (const name of (await region.storage.getDirectory()).keys()) names.push(name);
    expect(names.sort()).toEqual(['canary-file', 'canary-large', 'canary-late', 'one']);
    expect(await read(region, 'canary-file')).toBe('canary-more');
    expect(await read(region, 'canary-large')).toBe('canary-changed');
    expect(await read(region, 'canary-late')).toBe('canary-late');
    expect(await read(region, 'one')).toBe('1');
    expect(region.sync.status()).toMatchObject({ pending: 0, rejected: 0, problem: '' });
    expect(await region.sync.conflicts()).toEqual([]);
  }
  expect(heldBy(engine)).not.toContain('canary-');
  for (const [index, root] of roots.entries()) {
    const host = openHost(memoryHub(engine), ['eu', 'us'][index] ?? '', { root, encryption: migrating });
    await host.encrypt(ORIGIN);
    // What it is called is no secret.
    expect(treeHas(path.join(root, 'origins/https_canary-origin.example'), 'canary-')).toEqual(['origin.json']);
    expect(treeHas(root, 'quarantine')).toEqual([]);
  }
  const fresh = openRegion(memoryHub(engine), 'fresh');
  await fresh.sync.caughtUp();
  expect(fresh.localStorage.getItem('late')).toBe('canary-late');
  expect(await read(fresh, 'canary-large')).toBe('canary-changed');
  expect(await read(fresh, 'one')).toBe('1');
  for (const region of [eu, back]) await region.sync.caughtUp();
  expect(await fresh.sync.conflicts()).toEqual([]);
});

/** A hub that takes nothing until it is told to. `asked`: how often it was to. */
function holding(engine: MemoryEngine): { readonly hub: Hub; asked: number; release(): void } {
  const hub = memoryHub(engine);
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const slow = (log: HubLog): HubLog => {
    const append = log.append.bind(log);
    const late: HubLog['append'] = async (...given) => {
      state.asked += 1;
      await gate;
      return append(...given);
    };
    return Object.assign(log, { append: late });
  };
  const state = { asked: 0, release: () => release(), hub: { name: hub.name, connect: () => hub.connect(), close: () => hub.close(), log: (name: string) => slow(hub.log(name)) } };
  return state;
}

test.each(['has some of it', 'is new'])('caughtUp() waits for what the plain log has: a root that %s', async (root) => {
  const { engine, roots, hosts } = await plainRegions();
  for (const host of hosts) await host.close();
  const { keys } = new SealedConnection(HubConnection.to(memoryHub(engine)), sourceWith(7, [], ORIGIN));
  await keys.open();
  const held = holding(engine);
  // Files are waited for until they are followed, which would hide it.
  const eu = openRegion(held.hub, 'eu', { root: root === 'is new' ? newRoot() : roots[0], encryption: migrating, files: 'off' });
  let isCaughtUp = false;
  const caughtUp = eu.sync.caughtUp().then(() => (isCaughtUp = true));
  await expect.poll(() => held.asked).toBeGreaterThan(0);
  for (let turns = 0; turns < 100; turns += 1) await new Promise((resolve) => setImmediate(resolve));
  const isEarly = isCaughtUp;
  held.release();
  await caughtUp;
  expect(isEarly).toBe(false);
  expect({ ...eu.localStorage }).toEqual({ a: 'canary-a', b: 'canary-b', large: LARGE });
});

test('a root that follows the plain log brings nothing of it to another order where plain is refused', { timeout: 120_000 }, async () => {
  const { engine, roots, hosts } = await plainRegions();
  for (const host of hosts) await host.close();
  // Without the hub.
  const alone = new StorageHost({ root: roots[0], encryption: migrating });
  await alone.encrypt(ORIGIN);
  await alone.close();
  const eu = openRegion(memoryHub(engine), 'eu', { root: roots[0] });
  eu.localStorage.setItem('late', 'canary-late');
  expect(await codeLater(eu.sync.flush())).toBe('not-encrypted');
  const sealed = [...engine.logs].filter(([name]) => /^[0-9a-f]{32} /.test(name));
  expect(sealed.map(([, { position }]) => position)).toEqual(sealed.map(() => 0));
  const us = openRegion(memoryHub(engine), 'us', { root: roots[1], encryption: migrating });
  await us.sync.flush();
  // It tries again ever more seldom.
  await expect.poll(() => codeLater(eu.sync.flush()), { timeout: 60_000, interval: 250 }).toBe('nothing was thrown');
  await us.sync.caughtUp();
  expect(us.localStorage.getItem('late')).toBe('canary-late');
  for (const region of [eu, us]) expect(region.sync.status()).toMatchObject({ rejected: 0 });
});

test('what ends a plain log and is of nobody with the key stops regions, and nothing is encrypted because of it', { timeout: 120_000 }, async () => {
  const { engine, roots, hosts } = await plainRegions();
  for (const host of hosts) await host.close();
  const forged = Buffer.alloc(64, 0x81);
  engine.log(ORIGIN).append([{ id: 'forged', bytes: repaired(forged) }]);
  const { position } = engine.log(ORIGIN);
  const eu = openRegion(memoryHub(engine), 'eu', { root: roots[0], encryption: migrating });
  await expect.poll(() => eu.sync.status().problem, { timeout: 20_000 }).toContain(`Entry ${position} of the log`);
  expect(eu.localStorage.getItem('a')).toBe('canary-a');
  expect(engine.log(ORIGIN).position).toBe(position);
  expect(heldBy(engine)).toContain('canary-');
});
