import fs from 'node:fs';
import path from 'node:path';
import { createHash, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { EncryptionOptions, KeyStore } from '../../src/host/encryption/options.ts';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import { StorageHost } from '../../src/index.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { bundleFixture } from '../support/bundle.ts';
import { startedHub } from '../sync/embedded/in-process.ts';
import { keeperOf } from './coordinators.ts';
import { clientOf, KEY, openHost, regionOf } from './sync-regions.ts';
import { Peer } from '../support/peer.ts';
import { DirectoryStore, type StoreCommands } from './directory-store.ts';
import { CANARY, codeOf, contentOf, fill, key, open, openPlain, ORIGIN, OTHER, otherKey } from './operator.ts';
import { codeBehind, codeLater, snapshotOf, treeHas } from './support.ts';

// What opens an origin's keys is kept in a store: without it neither the root nor a backup is anything but noise.

/** A store in memory. */
class Store implements KeyStore {
  readonly entries = new Map<string, Uint8Array>();
  readonly calls: string[] = [];

  async get(name: string, origin: string): Promise<Uint8Array | undefined> {
    this.calls.push(`get ${origin}`);
    return this.entries.get(name);
  }

  async put(name: string, bytes: Uint8Array, origin: string): Promise<void> {
    this.calls.push(`put ${origin}`);
    this.entries.set(name, bytes);
  }

  async delete(name: string, origin: string): Promise<void> {
    this.calls.push(`delete ${origin}`);
    this.entries.delete(name);
  }
}

/** However loaded the machine is. */
const PATIENCE = { timeout: 30_000 };

const keysIn = (root: string, name = 'https_a.example'): string => path.join(root, 'origins', name, 'keys');
const newRoot = (): string => path.join(temporaryDirectory(), 'root');

/** A root of which the origin's key is in a store. */
async function stored(encryption: EncryptionOptions = { key }): Promise<{ readonly root: string; readonly store: Store; readonly host: StorageHost }> {
  const [root, store] = [newRoot(), new Store()];
  const host = open(root, { ...encryption, store });
  await host.unlock(ORIGIN);
  host.origin(ORIGIN).localStorage.setItem('k', CANARY);
  return { root, store, host };
}

async function valueOf(host: StorageHost, origin = ORIGIN): Promise<string | null> {
  await host.unlock(origin);
  return host.origin(origin).localStorage.getItem('k');
}

describe('a key in a store', () => {
  test.each<[string, () => EncryptionOptions]>([
    ['key', () => ({ key })],
    ['keyFor', () => ({ keyFor: async () => key })],
    ['kms', () => ({ kms: { wrap: async (bytes) => bytes.map((byte) => byte ^ 0x5a), unwrap: (bytes) => bytes.map((byte) => byte ^ 0x5a) } })],
  ])('of %s opens all of the origin, has to be waited for, and is asked for once', async (_, encryption) => {
    const [root, store] = [newRoot(), new Store()];
    const first = open(root, { ...encryption(), store });
    expect(codeBehind(() => first.origin(ORIGIN).localStorage)).toBe('key-pending');
    await first.unlock(ORIGIN);
    expect(fs.existsSync(root)).toBe(false);
    await fill(first.origin(ORIGIN), 'first');
    const content = await contentOf(first.origin(ORIGIN));
    expect([store.entries.size, ...store.calls]).toEqual([1, `put ${ORIGIN}`, `get ${ORIGIN}`]);
    const second = open(root, { ...encryption(), store });
    expect(codeBehind(() => second.origin(ORIGIN).localStorage)).toBe('key-pending');
    expect(await contentOf(second.origin(ORIGIN))).toEqual(content);
    expect(second.origin(ORIGIN).localStorage.getItem(`${CANARY}-key`)).toContain(CANARY);
    expect(store.calls.slice(2)).toEqual([`get ${ORIGIN}`]);
    expect(treeHas(root, CANARY)).toEqual([]);
  });

  test('is that without which the root key opens nothing', async () => {
    const { root } = await stored();
    const before = snapshotOf(root);
    for (const encryption of [{ key }, { keyFor: () => key }, { key, store: new Store() }]) {
      const host = open(root, encryption);
      expect(await codeOf(host.unlock(ORIGIN))).toBe('key-missing');
      expect(await codeLater(host.origin(ORIGIN).locks.request('l', () => undefined))).toBe('key-missing');
      expect(await codeOf(host.rekey(ORIGIN))).toBe('key-missing');
      expect(snapshotOf(root)).toEqual(before);
    }
  });
});

test('coordinators open by it', async () => {
  const [root, store] = [newRoot(), new Store()];
  const first = keeperOf(open(root, { key, store }), 'Keeper');
  expect(await first.keeper('a').set('k', CANARY)).toBe(CANARY);
  await first.close();
  const second = keeperOf(open(root, { key, store }), 'Keeper');
  expect(await second.keeper('a').get('k')).toBe(CANARY);
  await second.close();
  expect([store.entries.size, treeHas(root, CANARY)]).toEqual([1, []]);
});

test('regions share what a hub has, each with a store of its own, and rotate it', async () => {
  const hub = await startedHub();
  const [eu, us] = ['eu', 'us'].map((region) => openHost(clientOf(hub), region, { encryption: { key: KEY, store: new Store() } })) as [StorageHost, StorageHost];
  for (const host of [eu, us]) await host.unlock(ORIGIN);
  const [first, second] = [regionOf(eu, ORIGIN), regionOf(us, ORIGIN)];
  first.localStorage.setItem('k', CANARY);
  await first.sync.flush();
  await second.sync.caughtUp();
  expect(second.localStorage.getItem('k')).toBe(CANARY);
  expect(await eu.rekey(ORIGIN, { dataKey: true })).toBe(true);
  first.localStorage.setItem('k', 'later');
  await first.sync.flush();
  await second.sync.caughtUp();
  expect(second.localStorage.getItem('k')).toBe('later');
});

describe('of processes that make an origin at once', () => {
  test('one has its key there, the other takes that, and nothing else is left in the store', async () => {
    const [root, directory] = [newRoot(), temporaryDirectory()];
    const options = { root, directory, origin: ORIGIN, key: Buffer.from(key).toString('hex') };
    const fixture = await bundleFixture(new URL('store.fixture.ts', import.meta.url));
    const peers = await Promise.all([1, 2].map(() => Peer.start<StoreCommands>('process', fixture, options)));
    try {
      await Promise.all(peers.map((peer) => peer.call('unlock')));
      expect(fs.readdirSync(directory)).toHaveLength(2);
      await Promise.all(peers.map((peer, index) => peer.call('set', `by ${index}`, CANARY)));
      await expect.poll(() => fs.readdirSync(directory), PATIENCE).toHaveLength(1);
      const items = { 'by 0': CANARY, 'by 1': CANARY };
      for (const peer of peers) expect(await peer.call('items')).toEqual(items);
      const host = open(root, { key, store: new DirectoryStore(directory) });
      await host.unlock(ORIGIN);
      expect({ ...host.origin(ORIGIN).localStorage }).toEqual(items);
    } finally {
      await Promise.all(peers.map((peer) => peer.kill()));
    }
  });

  test('whoever has made one that others have deleted since makes another key', async () => {
    const { root, store, host } = await stored();
    const other = open(root, { key, store });
    expect(await other.deleteOrigin(ORIGIN)).toBe(true);
    expect(store.entries.size).toBe(0);
    await expect.poll(() => codeOf(host.unlock(ORIGIN)), PATIENCE).toBe('nothing was thrown');
    // What is written before it has noticed goes where the origin was, as anywhere.
    const written = async () => {
      const code = codeBehind(() => host.origin(ORIGIN).localStorage.setItem('k', 'anew'));
      return [code, await valueOf(open(root, { key, store }))];
    };
    await expect.poll(written, PATIENCE).toEqual(['nothing was thrown', 'anew']);
  });
});

describe('deleting an origin', () => {
  test('destroys its key in the store first: no backup is readable, of whatever state of its keys', async () => {
    const { root, store, host } = await stored();
    const backups = temporaryDirectory();
    await host.backup(backups);
    await host.rekey(ORIGIN, { dataKey: true, files: true });
    await host.backup(backups);
    const archive = await exported(host);
    const bytes = [...store.entries];
    const elsewhere = newRoot();
    // As long as it is there, the oldest one is readable.
    await StorageHost.restore({ from: backups, root: elsewhere, at: 0 + Date.now(), encryption: { key, store } });
    expect(await valueOf(open(elsewhere, { key, store }))).toBe(CANARY);
    expect(await host.deleteOrigin(ORIGIN)).toBe(true);
    expect(store.entries.size).toBe(0);
    expect(treeHas(backups, Buffer.from(bytes[0]?.[1] ?? []))).toEqual([]);
    expect(await codeOf(open(elsewhere, { key, store }).unlock(ORIGIN))).toBe('key-missing');
    const third = newRoot();
    expect(await codeOf(StorageHost.restore({ from: backups, root: third, encryption: { key, store } }))).toBe('key-missing');
    expect(fs.existsSync(path.join(third, 'origins')) ? fs.readdirSync(path.join(third, 'origins')) : []).toEqual([]);
    expect(await codeOf(open(third, { key, store }).importOrigin(streamOf(archive)))).toBe('key-missing');
    await StorageHost.restore({ from: backups, root: third });
    for (const encryption of [{ key }, { key, store }]) expect(await codeOf(open(third, encryption).unlock(ORIGIN))).toBe('key-missing');
    // What is made under its name again has nothing of it.
    await host.unlock(ORIGIN);
    host.origin(ORIGIN).localStorage.setItem('k', 'anew');
    expect(await codeOf(open(third, { key, store }).unlock(ORIGIN))).toBe('key-missing');
    expect(await valueOf(open(root, { key, store }))).toBe('anew');
  });

  test('is refused, and changes nothing, where the store is not given or fails', async () => {
    const { root, store, host } = await stored();
    const before = snapshotOf(root);
    expect(await codeOf(openPlain(root).deleteOrigin(ORIGIN))).toBe('key-missing');
    expect(await codeOf(open(root).deleteOrigin(ORIGIN))).toBe('key-missing');
    expect(await codeOf(open(root, { key: otherKey, store }).deleteOrigin(ORIGIN))).toBe('key-wrong');
    store.delete = () => Promise.reject(new Error('password=hunter2'));
    const failure = await host.deleteOrigin(ORIGIN).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ code: 'key-missing', message: expect.not.stringContaining('hunter2') });
    expect(snapshotOf(root)).toEqual(before);
    expect(await valueOf(open(root, { key, store }))).toBe(CANARY);
  });

  test('destroys no key of another origin whose name somebody has written into the file of keys', async () => {
    const { root, store, host } = await stored();
    await host.unlock(OTHER);
    host.origin(OTHER).localStorage.setItem('k', 'other');
    const [ours, theirs] = [keysIn(root), keysIn(root, 'https_b.example')].map((file) => fs.readFileSync(file)) as [Buffer, Buffer];
    theirs.copy(ours, 72, 72, 72 + 16);
    ours.writeUInt32LE(crc32(ours, 0, ours.length - 4), ours.length - 4);
    fs.writeFileSync(keysIn(root), ours);
    expect(await codeOf(open(root, { key, store }).deleteOrigin(ORIGIN))).toBe('key-wrong');
    expect(store.entries.size).toBe(2);
    expect(await valueOf(open(root, { key, store }), OTHER)).toBe('other');
  });

  test('destroys also the key of what it has replaced', async () => {
    const { root, store, host } = await stored();
    const backups = temporaryDirectory();
    await host.backup(backups);
    const archive = await exported(host, { plain: true });
    expect(await host.importOrigin(streamOf(archive), { existing: 'replace' })).toMatchObject([{ outcome: 'replaced' }]);
    expect(store.entries.size).toBe(2);
    expect(await valueOf(host)).toBe(CANARY);
    await host.rekey(ORIGIN, { dataKey: true });
    // The replaced one comes back in its place, and knows of the other.
    await StorageHost.restore({ from: backups, root, replace: true, encryption: { key, store } });
    expect(await valueOf(open(root, { key, store }))).toBe(CANARY);
    expect(store.entries.size).toBe(2);
    expect(await open(root, { key, store }).deleteOrigin(ORIGIN)).toBe(true);
    expect(store.entries.size).toBe(0);
    expect(await codeOf(StorageHost.restore({ from: backups, root, encryption: { key, store } }))).toBe('key-missing');
  });
});

describe('changing what wraps', () => {
  test('the root key changes what is in the store, and backups need the new one alone', async () => {
    const { root, store, host } = await stored();
    const backups = temporaryDirectory();
    await host.backup(backups);
    const before = digestOf(fs.readFileSync(keysIn(root)));
    const both = open(root, { key: otherKey, previous: [key], store });
    expect(await both.rekey(ORIGIN)).toBe(true);
    expect(await both.rekey(ORIGIN)).toBe(false);
    expect(digestOf(fs.readFileSync(keysIn(root)))).toBe(before);
    expect(await codeOf(open(root, { key, store }).unlock(ORIGIN))).toBe('key-wrong');
    expect(await valueOf(open(root, { key: otherKey, store }))).toBe(CANARY);
    const elsewhere = newRoot();
    await StorageHost.restore({ from: backups, root: elsewhere });
    expect(await valueOf(open(elsewhere, { key: otherKey, store }))).toBe(CANARY);
    host.origin(ORIGIN).localStorage.setItem('k', 'goes on');
    expect(await valueOf(both)).toBe('goes on');
  });

  test('a store that was none before gets the key, and another one takes it over', async () => {
    const root = newRoot();
    open(root).origin(ORIGIN).localStorage.setItem('k', CANARY);
    const [first, second] = [new Store(), new Store()];
    expect(await valueOf(open(root, { key, store: first }))).toBe(CANARY);
    expect(first.entries.size).toBe(0);
    expect(await open(root, { key, store: first }).rekey(ORIGIN)).toBe(true);
    expect(await open(root, { key, store: first }).rekey(ORIGIN)).toBe(false);
    expect(await codeOf(open(root).unlock(ORIGIN))).toBe('key-missing');
    expect(await valueOf(open(root, { key, store: first }))).toBe(CANARY);
    const both = { key, store: second, previous: [first] };
    expect(await valueOf(open(root, both))).toBe(CANARY);
    expect(await open(root, both).rekey(ORIGIN)).toBe(true);
    expect([first.entries.size, second.entries.size]).toEqual([0, 1]);
    expect(await open(root, both).rekey(ORIGIN)).toBe(false);
    expect(await valueOf(open(root, { key, store: second }))).toBe(CANARY);
    expect(await open(root, { key: otherKey, previous: [key], store: second }).rekey(ORIGIN, { dataKey: true, files: true })).toBe(true);
    expect(await valueOf(open(root, { key: otherKey, store: second }))).toBe(CANARY);
  });

  test('another origin that a backup becomes has a key of its own', async () => {
    const { root, store, host } = await stored();
    const backups = temporaryDirectory();
    await host.backup(backups);
    await StorageHost.restore({ from: backups, root, origin: ORIGIN, as: OTHER, encryption: { key, store } });
    expect(store.entries.size).toBe(2);
    expect(await valueOf(host, OTHER)).toBe(CANARY);
    expect(await host.deleteOrigin(ORIGIN)).toBe(true);
    expect(await valueOf(open(root, { key, store }), OTHER)).toBe(CANARY);
  });

  test('an origin that is encrypted where it is gets one; and one that is refused puts nothing there', async () => {
    const [root, store] = [newRoot(), new Store()];
    openPlain(root).origin(ORIGIN).localStorage.setItem('k', CANARY);
    const before = snapshotOf(root);
    expect(await codeOf(open(root, { key, store }).unlock(ORIGIN))).toBe('not-encrypted');
    expect([snapshotOf(root), store.calls]).toEqual([before, []]);
    expect(await open(root, { key, store, plain: 'migrate' }).encrypt(ORIGIN)).toBe(true);
    expect(store.entries.size).toBe(1);
    expect(await valueOf(open(root, { key, store }))).toBe(CANARY);
  });
});

describe('a store that', () => {
  const broken: Record<string, [Partial<KeyStore>, string, string]> = {
    'keeps nothing': [{ put: () => undefined }, 'bad-option', 'key-missing'],
    'throws when it is to keep': [{ put: () => Promise.reject(new Error('hunter2')) }, 'key-missing', 'nothing was thrown'],
    'throws when it is to give': [{ get: () => Promise.reject(new Error('hunter2')) }, 'key-missing', 'key-missing'],
    'throws at once': [{ get: () => { throw new Error('hunter2'); } }, 'key-missing', 'key-missing'],
    'gives something else': [{ get: () => randomBytes(100) }, 'bad-option', 'keys-damaged'],
    'gives no bytes': [{ get: () => 'hunter2' as unknown as Uint8Array }, 'bad-option', 'bad-option'],
    'has lost it': [{ get: () => null }, 'bad-option', 'key-missing'],
  };

  test.each(Object.keys(broken))('%s is an error that says so, before anything is written', async (what) => {
    const [parts, whenMade, whenOpened] = broken[what] ?? [{}, '', ''];
    const { root, store } = await stored();
    const before = snapshotOf(root);
    const given = Object.assign(new Store(), parts);
    for (const [name, bytes] of store.entries) given.entries.set(name, bytes);
    if (what === 'keeps nothing') given.entries.clear();
    const host = open(root, { key, store: given });
    const failure = await host.unlock(ORIGIN).catch((error: unknown) => error as Error);
    expect((failure as { code?: string } | undefined)?.code ?? 'nothing was thrown').toBe(whenOpened);
    expect(String(failure)).not.toContain('hunter2');
    expect(await codeOf(host.unlock(OTHER))).toBe(whenMade);
    expect(snapshotOf(root)).toEqual(before);
  });

  test('is none is refused', () => {
    for (const store of [{}, { get: () => null }, null, 'x', new Set()]) expect(() => open(newRoot(), { key, store: store as unknown as KeyStore })).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => open(newRoot(), { key, previous: [new Store()] })).toThrow(expect.objectContaining({ code: 'bad-option' }));
  });
});

async function exported(host: StorageHost, options = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await host.exportOrigin(ORIGIN, options)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
