import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { NO_CHAIN } from '../../src/disk/replica/chain.ts';
import { hex, sha256 } from '../../src/sync/replicator/digest.ts';
import { Wire } from '../../src/sync/replicator/wire.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { codeLater, snapshotOf, treeHas } from './support.ts';
import { KEY, newRoot, openHost, openRegion, ORIGIN, OTHER_KEY, read, regionOf, write } from './sync-regions.ts';

/** What a hub has, by the names of its logs. */
function contentOf({ logs }: MemoryEngine): Record<string, string> {
  return Object.fromEntries(Array.from(logs, ([name, { entries }]) => [name, hex(sha256(Buffer.concat(entries.map(({ bytes }) => bytes))))]));
}

async function begun(): Promise<MemoryEngine> {
  const engine = new MemoryEngine();
  const eu = openRegion(memoryHub(engine), 'eu');
  eu.localStorage.setItem('k', 'v');
  await write(eu, 'file', 'one');
  await eu.sync.flush();
  return engine;
}

test('a region with another key is told, and has read and sent nothing', async () => {
  const engine = await begun();
  const before = contentOf(engine);
  const other = openRegion(memoryHub(engine), 'us', { encryption: { key: OTHER_KEY } });
  other.localStorage.setItem('mine', '1');
  expect(await codeLater(other.sync.flush())).toBe('key-wrong');
  expect(await codeLater(other.sync.caughtUp())).toBe('key-wrong');
  expect(other.sync.status()).toMatchObject({ connected: false, position: 0, pending: 1 });
  expect(other.sync.status().problem).toContain('The key that was given is not the one');
  expect(Object.keys(other.localStorage)).toEqual(['mine']);
  expect(contentOf(engine)).toEqual(before);
});

test('a region whose provider fails is told, and goes on when it does not', async () => {
  const engine = await begun();
  let isAway = false;
  const root = newRoot();
  const keyFor = (): Uint8Array => {
    if (isAway) throw new Error('the vault is away');
    return KEY;
  };
  const host = openHost(memoryHub(engine), 'us', { root, encryption: { keyFor } });
  const us = regionOf(host);
  await us.sync.caughtUp();
  expect(us.localStorage.getItem('k')).toBe('v');
  await host.close();
  isAway = true;
  const again = openHost(memoryHub(engine), 'us', { root, encryption: { keyFor } });
  expect(await codeLater(Promise.resolve().then(() => regionOf(again).localStorage.getItem('k')))).toBe('key-missing');
  isAway = false;
  expect(regionOf(again).localStorage.getItem('k')).toBe('v');
});

test('regions of a KMS share keys, though each root has another root key', async () => {
  const wrapping = randomBytes(64);
  const mix = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes, (byte, at) => byte ^ (wrapping[at % 64] ?? 0));
  const kms = { wrap: async (key: Uint8Array) => mix(key), unwrap: async (wrapped: Uint8Array) => mix(wrapped) };
  const engine = new MemoryEngine();
  const regions = await Promise.all(['eu', 'us'].map(async (name) => {
    const host = openHost(memoryHub(engine), name, { encryption: { kms } });
    await host.unlock(ORIGIN);
    return regionOf(host);
  }));
  for (const [index, region] of regions.entries()) region.localStorage.setItem(`k${index}`, 'v');
  await Promise.all(regions.map((region) => region.sync.flush()));
  await Promise.all(regions.map((region) => region.sync.caughtUp()));
  for (const region of regions) expect(Object.keys(region.localStorage).sort()).toEqual(['k0', 'k1']);
});

test('the keys that regions share are wrapped anew, and nothing of the old is left in the hub', async () => {
  const engine = await begun();
  const [name] = engine.logs.keys();
  const keys = engine.log(name ?? '');
  const before = Buffer.from(keys.entries[0]?.bytes ?? []);
  const host = openHost(memoryHub(engine), 'us', { encryption: { key: OTHER_KEY, previous: [KEY] } });
  const us = regionOf(host);
  await us.sync.caughtUp();
  expect(await host.rekey(ORIGIN)).toBe(true);
  expect(await host.rekey(ORIGIN)).toBe(false);
  expect(keys.entries).toEqual([]);
  expect(Buffer.from(keys.snapshot?.bytes ?? []).includes(before.subarray(65))).toBe(false);
  const fresh = openRegion(memoryHub(engine), 'fresh', { encryption: { key: OTHER_KEY } });
  await fresh.sync.caughtUp();
  expect(fresh.localStorage.getItem('k')).toBe('v');
  expect(await read(fresh, 'file')).toBe('one');
  expect(await codeLater(openRegion(memoryHub(engine), 'old').sync.caughtUp())).toBe('key-wrong');
});

test('a new data key comes to regions that run, and what is older stays readable', async () => {
  const engine = await begun();
  const host = openHost(memoryHub(engine), 'us');
  const us = regionOf(host);
  const asia = openRegion(memoryHub(engine), 'asia');
  await asia.sync.caughtUp();
  await us.sync.caughtUp();
  expect(await host.rekey(ORIGIN, { dataKey: true })).toBe(true);
  await host.close();
  const again = openRegion(memoryHub(engine), 'eu2');
  again.localStorage.setItem('k2', 'v2'.repeat(50_000));
  await write(again, 'file', 'two');
  await again.sync.flush();
  await asia.sync.caughtUp();
  expect(asia.localStorage.getItem('k2')).toBe('v2'.repeat(50_000));
  expect(await read(asia, 'file')).toBe('two');
  const data = [...engine.logs].filter(([name]) => name.includes(' ')).flatMap(([, { entries }]) => entries.map(({ bytes }) => Buffer.from(bytes).readUInt32LE(1)));
  expect([...new Set(data)].sort()).toEqual([1, 2]);
  const late = openRegion(memoryHub(engine), 'late');
  await late.sync.caughtUp();
  expect(late.localStorage.getItem('k')).toBe('v');
});

test('an entry that is not encrypted stops a region that encrypts, before it', async () => {
  const engine = await begun();
  const [, map] = [...engine.logs.values()];
  const batch = { incarnation: '00000000-0000-7000-8000-000000000001', region: 'plain', first: 1, previous: NO_CHAIN, operations: [] };
  const { bytes } = new Wire(engine.capabilities, 'plain').encode(batch, { position: 0, digest: new Uint8Array(0) });
  const position = (map?.position ?? 0) + 1;
  map?.append([{ id: 'plain', bytes }]);
  const us = openRegion(memoryHub(engine), 'us');
  await expect.poll(() => us.sync.status().problem).toContain(`Entry ${position} of the log '${ORIGIN}'`);
  expect(us.localStorage.getItem('k')).toBe('v');
});

test('an encrypted entry stops a region that has no key', async () => {
  const engine = await begun();
  const plain = openRegion(memoryHub(engine), 'plain', { encryption: undefined });
  const [, map] = [...engine.logs.values()];
  const log = engine.log(ORIGIN);
  log.append(map?.entries.map(({ bytes }) => ({ id: 'moved', bytes })) ?? []);
  plain.localStorage.setItem('mine', '1');
  await expect.poll(() => plain.sync.status().problem).toContain('is encrypted, and this region has no key');
  expect(await codeLater(plain.sync.flush())).toBe('key-missing');
  expect(log.entries).toHaveLength(1);
});

test('a root in which a synced file is a stub, and a state was put aside, shows nothing', async () => {
  const engine = await begun();
  const root = newRoot();
  const host = openHost(memoryHub(engine), 'us', { root });
  const us = regionOf(host);
  us.localStorage.setItem('canary-of-us', 'canary-of-us');
  await us.sync.flush();
  await us.sync.caughtUp();
  await host.close();
  // The hub's logs are lost.
  engine.logs.clear();
  const again = regionOf(openHost(memoryHub(engine), 'us', { root }));
  await again.sync.caughtUp();
  const names = Object.keys(snapshotOf(root));
  expect(names.some((name) => name.includes('quarantine'))).toBe(true);
  expect(treeHas(root, 'canary-of-us')).toEqual([]);
});
