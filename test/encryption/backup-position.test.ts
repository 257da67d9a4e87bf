import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { EncryptionOptions, KeyManagement } from '../../src/host/encryption/options.ts';
import { StorageHost } from '../../src/index.ts';
import type { Hub } from '../../src/sync/hub.ts';
import { natsHub, postgresHub } from '../../src/sync/index.ts';
import { hex, sha256 } from '../../src/sync/replicator/digest.ts';
import { MemoryEngine, memoryHub, type MemoryLog } from '../support/memory-hub.ts';
import { reportSkipped, tryStart } from '../support/servers/availability.ts';
import { startNats } from '../support/servers/nats.ts';
import { startPostgres } from '../support/servers/postgres.ts';
import { DirectoryStore } from './directory-store.ts';
import { codeLater, snapshotOf, treeHas } from './support.ts';
import { canary, KEY, newRoot, openHost, ORIGIN, OTHER_KEY, read, regionOf, write } from './sync-regions.ts';

const BEFORE = 'https://before.example';

/** The end of each canary: an origin's name may be seen. */
const MARK = canary('').slice('canary-'.length);

interface Kept {
  readonly root: string;
  readonly backups: string;
  /** Where the hub was between the backup and now. */
  readonly at: { readonly position: number; readonly filesPosition: number };
}

/** A region that was backed up, wrote what is to be had again, and went on. */
async function kept(hub: Hub, encryption: EncryptionOptions = { key: KEY }): Promise<Kept & { readonly host: StorageHost }> {
  const [root, backups] = [newRoot(), newRoot()];
  const host = openHost(hub, 'eu', { root, encryption });
  await host.unlock(ORIGIN);
  const region = regionOf(host);
  const say = async (text: string): Promise<void> => {
    region.localStorage.setItem('value', canary(text));
    await write(region, 'file', canary(text).repeat(100));
    await region.sync.flush();
    await region.sync.caughtUp();
  };
  await say('one');
  await host.backup(backups);
  await say('two');
  const { position, filesPosition } = region.sync.status();
  await say('three');
  return { root, backups, at: { position, filesPosition: filesPosition ?? 0 }, host };
}

/** What an origin of a root has, whoever spoke with the hub. */
async function had(root: string, origin: string, encryption: EncryptionOptions = { key: KEY }): Promise<readonly [value: string | null, file: string]> {
  const host = new StorageHost({ root, encryption });
  await host.unlock(origin);
  try {
    return [host.origin(origin).localStorage.getItem('value'), await read(host.origin(origin), 'file')];
  } finally {
    await host.close();
  }
}

const two = [canary('two'), canary('two').repeat(100)];

/** Beside what is there, and in a root of its own. */
async function restoresBoth(hub: Hub, { root, backups, at }: Kept, encryption: EncryptionOptions = { key: KEY }): Promise<void> {
  const other = newRoot();
  await StorageHost.restore({ from: backups, root, origin: ORIGIN, as: BEFORE, at, hub, encryption });
  await StorageHost.restore({ from: backups, root: other, origin: ORIGIN, at, hub, encryption });
  expect(await had(root, BEFORE, encryption)).toEqual(two);
  expect(await had(other, ORIGIN, encryption)).toEqual(two);
  expect([...treeHas(root, MARK), ...treeHas(other, MARK)]).toEqual([]);
}

/** All that a hub has, by the names of its logs. */
function contentOf({ logs }: MemoryEngine): Record<string, readonly string[]> {
  return Object.fromEntries(Array.from(logs, ([name, { entries, blobs }]) => [name, [...entries.map(({ bytes }) => hex(sha256(bytes))), ...blobs.keys()]]));
}

test('a position comes back, encrypted, beside what is there and where nothing is, and the hub stays as it is', async () => {
  const engine = new MemoryEngine();
  const region = await kept(memoryHub(engine));
  const before = contentOf(engine);
  await restoresBoth(memoryHub(engine), region);
  expect(contentOf(engine)).toEqual(before);
});

test('without the key, and with another one, nothing is changed', async () => {
  const engine = new MemoryEngine();
  const { root, backups, at, host } = await kept(memoryHub(engine));
  await host.close();
  const before = { hub: contentOf(engine), root: snapshotOf(root), backups: snapshotOf(backups) };
  const away = (): never => {
    throw new Error('the vault is away');
  };
  const attempts: readonly (readonly [EncryptionOptions | undefined, string])[] = [[undefined, 'key-missing'], [{ key: OTHER_KEY }, 'key-wrong'], [{ keyFor: away }, 'key-missing']];
  for (const [encryption, code] of attempts) {
    const other = newRoot();
    for (const place of [{ root, as: BEFORE }, { root: other }, { root: other, as: BEFORE }]) {
      expect(await codeLater(StorageHost.restore({ from: backups, origin: ORIGIN, at, hub: memoryHub(engine), encryption, ...place })), JSON.stringify(place)).toBe(code);
    }
    expect(fs.existsSync(other)).toBe(false);
  }
  expect({ hub: contentOf(engine), root: snapshotOf(root), backups: snapshotOf(backups) }).toEqual(before);
});

test('a position from before the keys were changed comes back with the key of the backup among the previous ones', async () => {
  const engine = new MemoryEngine();
  const { host, ...region } = await kept(memoryHub(engine));
  await host.close();
  const both = { key: OTHER_KEY, previous: [KEY] };
  const later = openHost(memoryHub(engine), 'eu', { root: region.root, encryption: both });
  await later.rekey(ORIGIN, { dataKey: true });
  regionOf(later).localStorage.setItem('value', canary('four'));
  await regionOf(later).sync.flush();
  await later.close();
  await restoresBoth(memoryHub(engine), region, both);
  const alone = { from: region.backups, origin: ORIGIN, at: region.at, hub: memoryHub(engine), root: newRoot() };
  expect(await codeLater(StorageHost.restore({ ...alone, encryption: { key: OTHER_KEY } }))).toBe('key-wrong');
  expect(await codeLater(StorageHost.restore({ ...alone, encryption: { key: KEY } }))).toBe('key-wrong');
  expect(fs.existsSync(alone.root)).toBe(false);
});

test('the keys of a service, and those in a store, bring a position back', async () => {
  const pad = randomBytes(64);
  const mix = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes, (byte, at) => byte ^ (pad[at % 64] ?? 0));
  const kms: KeyManagement = { wrap: async (bytes) => mix(bytes), unwrap: async (bytes) => mix(bytes) };
  const directory = newRoot();
  fs.mkdirSync(directory);
  for (const encryption of [{ kms }, { kms, store: new DirectoryStore(directory) }, { keyFor: async () => KEY }]) {
    const engine = new MemoryEngine();
    await restoresBoth(memoryHub(engine), await kept(memoryHub(engine), encryption), encryption);
  }
});

/** Runs `body` while one byte of something is another one. */
async function changedIn(bytes: Uint8Array, body: () => Promise<void>): Promise<void> {
  const at = bytes.length >> 1;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  await body();
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

test('what was changed in the hub, and a hub that has lost the keys, ends it before anything is written', async () => {
  const engine = new MemoryEngine();
  const { host, ...region } = await kept(memoryHub(engine));
  const { root, backups, at } = region;
  await host.close();
  const before = snapshotOf(root);
  const attempt = (hub: Hub): Promise<string> => codeLater(StorageHost.restore({ from: backups, root, origin: ORIGIN, as: BEFORE, at, hub, encryption: { key: KEY } }));
  const [keys, ...logs] = [...engine.logs.values()];
  expect(keys?.entries).toHaveLength(1);
  // Each position between the backup and the one that is asked for; which of the two logs it is does not matter.
  const [map, files] = logs.map(({ entries }) => entries.slice(1, entries.length >> 1 === 0 ? 1 : -1)) as [MemoryLog['entries'], MemoryLog['entries']];
  for (const { bytes } of [...map, ...files]) await changedIn(bytes, async () => expect(await attempt(memoryHub(engine))).toBe('hub-damaged'));
  await changedIn(keys?.entries[0]?.bytes ?? new Uint8Array(1), async () => expect(await attempt(memoryHub(engine))).toBe('keys-damaged'));
  const empty = new MemoryEngine();
  expect(await attempt(memoryHub(empty))).toBe('hub-damaged');
  expect(Object.values(contentOf(empty)).flat()).toEqual([]);
  expect(snapshotOf(root)).toEqual(before);
  await restoresBoth(memoryHub(engine), region);
});

const postgres = await tryStart(() => startPostgres());
const nats = await tryStart(() => startNats());

describe('a PostgreSQL', () => {
  const { server, missing } = postgres;
  afterAll(() => server?.dispose());
  if (server === null) reportSkipped('postgres', missing);
  else test('brings an encrypted origin to a position', () => restoresFrom(() => postgresHub({ connectionString: server.url() })));
});

describe('a NATS server', () => {
  const { server, missing } = nats;
  afterAll(() => server?.dispose());
  if (server === null) reportSkipped('nats', missing);
  else test('brings an encrypted origin to a position', () => restoresFrom(() => natsHub({ servers: server.url, user: server.user, pass: server.password })));
});

async function restoresFrom(connect: () => Hub): Promise<void> {
  const { host, ...region } = await kept(connect());
  await host.close();
  const hub = connect();
  onTestFinished(() => hub.close());
  await restoresBoth(hub, region);
}
