import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { HoldfastError, StorageHost } from '../../../src/index.ts';
import type { FileConflict, OriginSync, RejectedWrite, StorageClient, SyncOptions } from '../../../src/index.ts';
import { MemoryEngine, memoryHub } from '../../support/memory-hub.ts';
import { encrypted } from '../../support/sealed.ts';

const ORIGIN = 'https://app.example';
const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function newRoot(): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-regions-'));
  endings.push(() => fs.rmSync(root, { recursive: true, force: true }));
  return root;
}

interface RegionOptions extends Partial<SyncOptions> {
  readonly root?: string;
  readonly quota?: { readonly localStorage: number };
}

function openHost(engine: MemoryEngine, region: string, { root = newRoot(), quota, ...sync }: RegionOptions = {}): StorageHost {
  const host = new StorageHost({ root, ...(quota !== undefined && { quota }), sync: { hub: memoryHub(engine), region, ...sync }, ...encrypted });
  endings.push(() => host.close());
  return host;
}

function open(engine: MemoryEngine, region: string, options: RegionOptions = {}): StorageClient & { readonly sync: OriginSync } {
  const client = openHost(engine, region, options).origin(ORIGIN);
  if (client.sync === null) throw new Error('the origin follows no hub');
  return client as StorageClient & { readonly sync: OriginSync };
}

async function write(client: StorageClient, name: string, content: string): Promise<void> {
  const root = await client.storage.getDirectory();
  const file = await root.getFileHandle(name, { create: true });
  const writable = await file.createWritable();
  await writable.write(content);
  await writable.close();
}

async function read(client: StorageClient, name: string): Promise<string> {
  const root = await client.storage.getDirectory();
  const file = await (await root.getFileHandle(name)).getFile();
  return file.text();
}

function heard<T extends Event>(target: EventTarget, type: string): Promise<T> {
  return new Promise((resolve) => target.addEventListener(type, (event) => resolve(event as T), { once: true }));
}

describe('two regions of one hub', () => {
  test('have what either wrote to localStorage, in one order', async () => {
    const engine = new MemoryEngine();
    const eu = open(engine, 'eu');
    const us = open(engine, 'us');
    eu.localStorage.setItem('from', 'eu');
    await eu.sync.flush();
    await us.sync.caughtUp();
    expect(us.localStorage.getItem('from')).toBe('eu');
    us.localStorage.setItem('from', 'us');
    us.localStorage.setItem('more', '1');
    await us.sync.flush();
    await eu.sync.caughtUp();
    expect(Object.entries(eu.localStorage)).toEqual([['from', 'us'], ['more', '1']]);
    expect(eu.sync.status()).toMatchObject({ region: 'eu', connected: true, pending: 0, lag: 0, rejected: 0, problem: '' });
  });

  test('tell of what the other wrote by a storage event', async () => {
    const engine = new MemoryEngine();
    const eu = open(engine, 'eu');
    const us = open(engine, 'us');
    const event = heard<StorageEvent>(us, 'storage');
    eu.localStorage.setItem('k', 'v');
    expect(await event).toMatchObject({ key: 'k', oldValue: null, newValue: 'v', url: `${ORIGIN}/`, storageArea: us.localStorage });
  });

  test('keep what both wrote while they were apart; the later in the order wins', async () => {
    const engine = new MemoryEngine();
    const eu = open(engine, 'eu');
    const us = open(engine, 'us');
    await Promise.all([eu.sync.caughtUp(), us.sync.caughtUp()]);
    engine.away = true;
    eu.localStorage.setItem('eu', '1');
    eu.localStorage.setItem('both', 'eu');
    us.localStorage.setItem('us', '1');
    us.localStorage.setItem('both', 'us');
    expect(eu.localStorage.getItem('both')).toBe('eu');
    engine.away = false;
    await Promise.all([eu.sync.flush(), us.sync.flush()]);
    await Promise.all([eu.sync.caughtUp(), us.sync.caughtUp()]);
    expect(Object.entries(eu.localStorage)).toEqual(Object.entries(us.localStorage));
    expect(eu.localStorage.length).toBe(3);
  });

  test('start and write without the hub, and send it all once it is there', async () => {
    const engine = new MemoryEngine();
    engine.away = true;
    const eu = open(engine, 'eu');
    eu.localStorage.setItem('early', 'x');
    eu.localStorage.setItem('early', 'y');
    await expect(eu.sync.caughtUp()).rejects.toMatchObject({ code: 'hub-unreachable' });
    expect(eu.sync.status()).toMatchObject({ connected: false, pending: 2 });
    engine.away = false;
    await eu.sync.flush();
    const us = open(engine, 'us');
    await us.sync.caughtUp();
    expect(us.localStorage.getItem('early')).toBe('y');
  });

  test('add what was there before there was a hub, and report what differs', async () => {
    const engine = new MemoryEngine();
    const [first, second] = [newRoot(), newRoot()];
    for (const [root, name] of [[first, 'eu'], [second, 'us']] as const) {
      const alone = new StorageHost({ root, ...encrypted });
      alone.origin(ORIGIN).localStorage.setItem(`only ${name}`, name);
      alone.origin(ORIGIN).localStorage.setItem('shared', name);
      await alone.close();
    }
    const eu = open(engine, 'eu', { root: first });
    await eu.sync.flush();
    const us = open(engine, 'us', { root: second });
    const rejected = heard<CustomEvent>(us.sync, 'syncrejected');
    await us.sync.caughtUp();
    expect((await rejected).detail).toMatchObject({ area: 'localStorage', reason: 'expected', key: 'shared', value: 'us' });
    await us.sync.flush();
    await eu.sync.caughtUp();
    for (const client of [eu, us]) {
      expect({ ...client.localStorage }).toEqual({ 'only eu': 'eu', 'only us': 'us', shared: 'eu' });
    }
    const [rejection] = us.sync.rejections();
    if (rejection !== undefined) us.sync.acknowledge(rejection);
    expect(us.sync.rejections()).toEqual([]);
  });

  test('decide compareAndSet in one order: one of two wins', async () => {
    const engine = new MemoryEngine();
    const eu = open(engine, 'eu');
    const us = open(engine, 'us');
    const won = await Promise.all([eu.sync.compareAndSet('leader', null, 'eu'), us.sync.compareAndSet('leader', null, 'us')]);
    expect(won.filter(Boolean)).toHaveLength(1);
    await Promise.all([eu.sync.caughtUp(), us.sync.caughtUp()]);
    expect(eu.localStorage.getItem('leader')).toBe(won[0] === true ? 'eu' : 'us');
    expect(us.localStorage.getItem('leader')).toBe(eu.localStorage.getItem('leader'));
  });

  test('let one of many have what all would set to the same', async () => {
    const engine = new MemoryEngine();
    const clients = ['eu', 'us', 'ap'].map((name) => open(engine, name));
    const won = await Promise.all(clients.map(({ sync }) => sync.compareAndSet('mutex', null, 'taken')));
    expect(won.filter(Boolean)).toHaveLength(1);
  });

  test('see in a strong read whatever was confirmed before it', async () => {
    const engine = new MemoryEngine();
    const eu = open(engine, 'eu');
    const us = open(engine, 'us');
    for (let turn = 0; turn < 20; turn++) {
      eu.localStorage.setItem('turn', String(turn));
      await eu.sync.flush();
      expect(await us.sync.read(() => us.localStorage.getItem('turn'))).toBe(String(turn));
    }
  });

  test('take back what did not fit the quota at its place in the order, and say so', async () => {
    const engine = new MemoryEngine();
    const eu = open(engine, 'eu', { quota: { localStorage: 1000 } });
    const us = open(engine, 'us', { quota: { localStorage: 1000 } });
    eu.localStorage.setItem('a', '1');
    us.localStorage.setItem('b', '1');
    await Promise.all([eu.sync.flush(), us.sync.flush()]);
    await Promise.all([eu.sync.caughtUp(), us.sync.caughtUp()]);
    engine.away = true;
    eu.localStorage.setItem('eu', 'x'.repeat(300));
    us.localStorage.setItem('us', 'x'.repeat(300));
    engine.away = false;
    await Promise.all([eu.sync.flush(), us.sync.flush()]);
    await Promise.all([eu.sync.caughtUp(), us.sync.caughtUp()]);
    expect(Object.entries(eu.localStorage)).toEqual(Object.entries(us.localStorage));
    const rejections = [...eu.sync.rejections(), ...us.sync.rejections()];
    expect(rejections).toHaveLength(1);
    expect(rejections[0]).toMatchObject({ reason: 'quota', value: 'x'.repeat(300) });
  });

  test('have the files that either wrote', async () => {
    const engine = new MemoryEngine();
    const eu = open(engine, 'eu');
    const us = open(engine, 'us', { files: 'eager' });
    await write(eu, 'notes.txt', 'from eu');
    await eu.sync.flush();
    await us.sync.caughtUp();
    expect(await read(us, 'notes.txt')).toBe('from eu');
    await write(us, 'notes.txt', 'from us');
    await us.sync.flush();
    await eu.sync.caughtUp();
    expect(await read(eu, 'notes.txt')).toBe('from us');
    expect(await eu.sync.conflicts()).toEqual([]);
  });
});

describe('two regions that write one file at once', () => {
  test('keep the later version; the other is reported in every process, and can be had', async () => {
    const engine = new MemoryEngine();
    const root = newRoot();
    const eu = open(engine, 'eu', { root });
    await write(eu, 'f', 'first');
    await eu.sync.flush();
    const onlooker = open(engine, 'eu', { root });
    const us = open(engine, 'us');
    await us.sync.caughtUp();
    const reported = Promise.all([eu, onlooker, us].map(({ sync }) => heard<CustomEvent<FileConflict>>(sync, 'syncconflict')));
    engine.away = true;
    await write(eu, 'f', 'of eu');
    await write(us, 'f', 'of us');
    engine.away = false;
    await Promise.all([eu.sync.flush(), us.sync.flush()]);
    await Promise.all([eu.sync.caughtUp(), us.sync.caughtUp()]);
    const kept = await read(eu, 'f');
    expect(await read(us, 'f')).toBe(kept);
    for (const { detail } of await reported) {
      expect(detail.locator).toEqual(['f']);
      expect(await (await detail.lost.bytes()).text()).toBe(kept === 'of eu' ? 'of us' : 'of eu');
    }
  });
});

describe('two hosts of one root', () => {
  test('both flush, catch up and read strongly, though one speaks with the hub', async () => {
    const engine = new MemoryEngine();
    const root = newRoot();
    const one = open(engine, 'eu', { root });
    const two = open(engine, 'eu', { root });
    one.localStorage.setItem('one', '1');
    two.localStorage.setItem('two', '2');
    await Promise.all([one.sync.flush(), two.sync.flush()]);
    const us = open(engine, 'us');
    await us.sync.caughtUp();
    expect({ ...us.localStorage }).toEqual({ one: '1', two: '2' });
    expect(one.sync.status()).toEqual(two.sync.status());
    expect((await one.locks.query()).held).toEqual([]);
  });

  test('the other speaks when the one that did has closed', async () => {
    const engine = new MemoryEngine();
    const root = newRoot();
    const first = openHost(engine, 'eu', { root });
    const firstClient = first.origin(ORIGIN);
    firstClient.localStorage.setItem('k', '1');
    await firstClient.sync?.flush();
    const second = open(engine, 'eu', { root });
    await first.close();
    second.localStorage.setItem('k', '2');
    await second.sync.flush();
    const us = open(engine, 'us');
    await us.sync.caughtUp();
    expect(us.localStorage.getItem('k')).toBe('2');
  });
});

describe('the sync option', () => {
  test.each([
    ['no hub', { region: 'eu' }],
    ['no region', { hub: memoryHub() }],
    ['a region with a space', { hub: memoryHub(), region: 'e u' }],
    ['an unknown option', { hub: memoryHub(), region: 'eu', files: 'lazy', regoin: 'us' }],
    ['an origin that is none', { hub: memoryHub(), region: 'eu', origins: ['nonsense'] }],
    ['files that are neither', { hub: memoryHub(), region: 'eu', files: 'sometimes' }],
  ])('is refused with %s', (_what, sync) => {
    expect(() => new StorageHost({ root: '/nowhere', sync: sync as SyncOptions })).toThrow(HoldfastError);
  });

  test('is refused together with a root that machines share', () => {
    const options = { root: '/nowhere', shared: 'lockfile', sync: { hub: memoryHub(), region: 'eu' } } as const;
    expect(() => new StorageHost(options)).toThrow(/exclude each other/);
  });

  test('leaves the origins alone that it does not name', async () => {
    const host = openHost(new MemoryEngine(), 'eu', { origins: [ORIGIN] });
    expect(host.origin('https://other.example').sync).toBeNull();
    expect(host.origin(ORIGIN).sync).not.toBeNull();
  });
});

describe('a process that does not speak with the hub', () => {
  test('flushes the files that it wrote, and has those of others when it has caught up', async () => {
    const engine = new MemoryEngine();
    const root = newRoot();
    const speaker = open(engine, 'eu', { root });
    await speaker.sync.flush();
    const other = open(engine, 'eu', { root });
    const us = open(engine, 'us');
    await write(other, 'file', 'written beside');
    await other.sync.flush();
    await us.sync.caughtUp();
    expect(await read(us, 'file')).toBe('written beside');
    await write(us, 'file', 'written elsewhere');
    await us.sync.flush();
    await other.sync.caughtUp();
    expect(await read(other, 'file')).toBe('written elsewhere');
    await (await us.storage.getDirectory()).removeEntry('file');
    await us.sync.flush();
    await other.sync.caughtUp();
    await expect(read(other, 'file')).rejects.toMatchObject({ name: 'NotFoundError' });
  });
});

describe('compareAndSet', () => {
  test('tells of a refusal that somebody acknowledges at once', async () => {
    const engine = new MemoryEngine();
    const eu = open(engine, 'eu');
    const us = open(engine, 'us');
    us.sync.addEventListener('syncrejected', (event) => us.sync.acknowledge((event as CustomEvent<RejectedWrite>).detail));
    const [first, second] = await Promise.all([eu.sync.compareAndSet('lock', null, 'eu'), us.sync.compareAndSet('lock', null, 'us')]);
    expect(first).not.toBe(second);
    await expect(us.sync.compareAndSet('lock', null, 'us again')).resolves.toBe(false);
    expect(us.sync.rejections()).toEqual([]);
  });
});
