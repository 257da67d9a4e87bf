import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import '../../src/host/broadcast-channel/provided.ts';
import '../../src/host/indexed-db/provided.ts';
import { MOST_BUCKETS } from '../../src/disk/buckets/machine.ts';
import { encodeOpening, kinds } from '../../src/disk/buckets/records.ts';
import { RegisterJournal } from '../../src/disk/buckets/register-journal.ts';
import { BucketDirectory } from '../../src/disk/root/bucket-directory.ts';
import { Root } from '../../src/disk/root/root.ts';
import { serializeHandle } from '../../src/file-system/handles.ts';
import type { StorageClient } from '../../src/host/storage-client.ts';
import type { StorageHost } from '../../src/host/storage-host.ts';
import { isHarmless } from '../../src/disk/verify/finding.ts';
import { verify } from '../verify/sample.ts';
import { atEnd, collectGarbage, listing, openHost } from '../host/support.ts';
import { until } from '../crash/support/scenarios.ts';
import { collect, createFile, namedDirectories, nameOfError, openDatabase, readFile, storeIn } from './support.ts';
import { isEncrypted } from '../support/sealed.ts';

const origin = 'https://app.example';
type Bucket = Awaited<ReturnType<StorageClient['storageBuckets']['open']>>;

function clientOf(options: Parameters<typeof openHost>[0] = {}): StorageClient {
  return openHost(options).origin(origin);
}

/** Another process's view of the same root, as far as the disk is concerned. */
function beside(host: StorageHost): StorageClient {
  return openHost({ root: host.root }).origin(origin);
}

describe('a bucket', () => {
  test('has files, databases, caches and locks of its own', async () => {
    const { storage, storageBuckets } = clientOf();
    const [a, b] = [await storageBuckets.open('a'), await storageBuckets.open('b')];
    await createFile(await a.getDirectory(), 'file', 'of a');
    await createFile(await storage.getDirectory(), 'file', 'of the default one');
    await (await a.caches.open('cache')).put('https://a.example/', new Response('of a'));
    (await openDatabase(a.indexedDB, 'database')).close();
    expect(await readFile(await a.getDirectory(), 'file')).toBe('of a');
    expect(await readFile(await storage.getDirectory(), 'file')).toBe('of the default one');
    expect(await collect((await b.getDirectory()).keys())).toEqual([]);
    expect([await a.caches.keys(), await b.caches.keys()]).toEqual([['cache'], []]);
    expect([await a.indexedDB.databases(), await b.indexedDB.databases()]).toEqual([[{ name: 'database', version: 1 }], []]);
    const taken = await a.locks.request('lock', () => b.locks.request('lock', { ifAvailable: true }, (lock) => lock !== null));
    expect(taken).toBe(true);
  });

  test('is there for every process, by whatever name a bucket can have', async () => {
    const host = openHost();
    const names = ['default', 'keys', 'coordinators', 'quota', 'register', '0', 'a'.repeat(64), '2021-01-01_'];
    for (const name of names) await createFile(await (await host.origin(origin).storageBuckets.open(name)).getDirectory(), 'name', name);
    const other = beside(host);
    expect(await other.storageBuckets.keys()).toEqual([...names].sort());
    for (const name of names) expect(await readFile(await (await other.storageBuckets.open(name)).getDirectory(), 'name')).toBe(name);
    expect(await collect((await other.storage.getDirectory()).keys())).toEqual([]);
  });

  test('of another origin has nothing to do with it', async () => {
    const host = openHost();
    await host.origin(origin).storageBuckets.open('mine');
    expect(await host.origin('https://b.example').storageBuckets.keys()).toEqual([]);
  });

  test('keeps what its maker chose, and takes from others only persistence and another end', async () => {
    const host = openHost();
    const end = Date.now() + 1e9 + 0.5;
    await host.origin(origin).storageBuckets.open('b', { durability: 'strict', quota: 1e6, expires: end });
    const { storageBuckets } = beside(host);
    const bucket = await storageBuckets.open('b', { durability: 'relaxed', quota: 2e6 });
    const facts = async (): Promise<unknown[]> => [await bucket.durability(), (await bucket.estimate()).quota, await bucket.persisted(), await bucket.expires()];
    expect(await facts()).toEqual(['strict', 1e6, false, end]);
    await storageBuckets.open('b', { persisted: true, expires: end + 1 });
    expect(await facts()).toEqual(['strict', 1e6, true, end + 1]);
    await storageBuckets.open('b', { persisted: null, expires: null, durability: null, quota: null });
    expect(await facts()).toEqual(['strict', 1e6, true, end + 1]);
  });

  test('that is strict syncs all that is written into it, and one that is relaxed nothing', async () => {
    const host = openHost();
    const { storageBuckets } = host.origin(origin);
    const synced: string[] = [];
    for (const name of ['fsync', 'fdatasync', 'fsyncSync', 'fdatasyncSync'] as const) {
      const original = fs[name] as (descriptor: number, ...rest: unknown[]) => undefined;
      vi.spyOn(fs, name).mockImplementation((descriptor: number, ...rest: unknown[]) => {
        synced.push(`${name} ${fs.readlinkSync(`/proc/self/fd/${descriptor}`)}`);
        return original(descriptor, ...rest);
      });
    }
    atEnd(() => vi.restoreAllMocks());
    for (const durability of ['relaxed', 'strict'] as const) {
      const others = namedDirectories(host.root);
      const bucket = await storageBuckets.open(durability, { durability });
      const directory = namedDirectories(host.root).find((id) => !others.includes(id)) ?? '';
      /** Whether it syncs something of this bucket in such a place. */
      const syncs = async (place: string, action: () => Promise<unknown>, by = ''): Promise<boolean> => {
        synced.length = 0;
        await action();
        return synced.some((call) => call.startsWith(by) && call.includes(`/${directory}/${place}`));
      };
      // There are engines that sync at every commit by themselves; what is asked for is asked of another thread.
      const commits = (how: 'default' | 'relaxed'): Promise<boolean> => syncs('indexeddb/databases', () => storeIn(database, how), 'fdatasync ');
      const files = await bucket.getDirectory();
      const cache = await bucket.caches.open('cache');
      const database = await openDatabase(bucket.indexedDB, 'database');
      const isStrict = durability === 'strict';
      expect(await syncs('locks', () => bucket.locks.request('lock', () => undefined))).toBe(isStrict);
      expect(await syncs('files', () => createFile(files, 'file', 'content'))).toBe(isStrict);
      expect(await syncs('caches', () => cache.put('https://a.example/', new Response('x')))).toBe(isStrict);
      expect(await commits('default')).toBe(isStrict);
      expect(await commits('relaxed')).toBe(false);
      database.close();
    }
  });

  test('leaves no trace when it is opened again, or looked at', async () => {
    const host = openHost();
    const first = await host.origin(origin).storageBuckets.open('b');
    await first.persisted();
    const register = path.join(host.root, 'origins/https_app.example/default/register');
    const size = (): number => listing(register).reduce((sum, name) => sum + fs.statSync(path.join(register, name)).size, 0);
    const before = size();
    const { storageBuckets } = beside(host);
    await (await storageBuckets.open('b')).expires();
    await storageBuckets.keys();
    expect(size()).toBe(before);
    expect(namedDirectories(host.root)).toHaveLength(1);
  });

  test('is not made by looking for it, in a root that is not there either', async () => {
    const host = openHost();
    const { storageBuckets } = host.origin(origin);
    expect(await storageBuckets.keys()).toEqual([]);
    await storageBuckets.delete('none');
    expect(fs.existsSync(host.root)).toBe(false);
  });

  test('is counted: its quota bounds it, and that of the origin all of them together', async () => {
    const host = openHost({ quota: { total: 4e6, localStorage: 1e6 } });
    const { storage, storageBuckets } = host.origin(origin);
    const small = await storageBuckets.open('small', { quota: 1e6 });
    expect((await small.estimate()).quota).toBe(1e6);
    expect(await nameOfError(createFile(await small.getDirectory(), 'f', 'x'.repeat(1e6)))).toBe('QuotaExceededError');
    const large = await storageBuckets.open('large');
    await createFile(await large.getDirectory(), 'f', 'x'.repeat(2e6));
    expect((await large.estimate()).usage).toBeGreaterThanOrEqual(2e6);
    expect(await nameOfError(createFile(await storage.getDirectory(), 'f', 'x'.repeat(2e6)))).toBe('QuotaExceededError');
    await storageBuckets.delete('large');
    await createFile(await storage.getDirectory(), 'f', 'x'.repeat(2e6));
    expect(await nameOfError(createFile(await (await storageBuckets.open('large')).getDirectory(), 'f', 'x'.repeat(2e6)))).toBe('QuotaExceededError');
  });

  // Reads the register by itself, without a key.
  test.skipIf(isEncrypted)('is one of 256 at most', async () => {
    const host = openHost();
    const { storageBuckets } = host.origin(origin);
    await storageBuckets.open('first');
    const register = new RegisterJournal(new BucketDirectory(new Root(host.root, 'relaxed'), origin, 'default'), {});
    register.look();
    const policies = { persisted: false, durability: 'relaxed', quota: null, expires: null } as const;
    for (let index = 1; index < MOST_BUCKETS; index++) {
      register.append(kinds.open, encodeOpening({ now: 0, name: `b${index}`, policies, id: `${index}`, missing: '' }));
    }
    register.close();
    expect(await nameOfError(storageBuckets.open('one-more'))).toBe('QuotaExceededError');
    await until(() => namedDirectories(host.root).length === 1, 'for what was made in vain to go');
    await storageBuckets.open('first');
    await storageBuckets.delete('b7');
    await storageBuckets.open('one-more');
  });
});

describe('bad input', () => {
  const names = ['', ' ', '-a', '_a', 'A', 'ä', 'a/b', 'a.b', 'a'.repeat(65), '\n', 'a\n'];

  test.each(names)('is refused: the name %j', async (name) => {
    const { storageBuckets } = clientOf();
    expect(await nameOfError(storageBuckets.open(name))).toBe('TypeError');
    expect(await nameOfError(storageBuckets.delete(name))).toBe('TypeError');
  });

  test.each([
    { quota: 0 },
    { quota: -1 },
    { quota: 2 ** 53 },
    { expires: 0 },
    { expires: NaN },
    { expires: Infinity },
    { durability: 'both' as never },
    7 as never,
  ])('is refused: %j', async (options) => {
    const client = clientOf();
    expect(await nameOfError(client.storageBuckets.open('b', options))).toBe('TypeError');
    expect(await client.storageBuckets.keys()).toEqual([]);
  });

  test('is a client that was closed, or a host', async () => {
    const host = openHost();
    const client = host.client(origin);
    const { storageBuckets } = client;
    const bucket = await storageBuckets.open('b');
    client.close();
    expect(await nameOfError(storageBuckets.open('b'))).toBe('TypeError');
    expect(await nameOfError(storageBuckets.keys())).toBe('TypeError');
    expect(await nameOfError(bucket.persisted())).toBe('InvalidStateError');
    expect(await nameOfError(bucket.getDirectory())).toBe('InvalidStateError');
    expect(await nameOfError(bucket.locks.query())).toBe('InvalidStateError');
    expect(() => client.storageBuckets).toThrow(/closed/);
    const kept = await host.origin(origin).storageBuckets.open('b');
    await host.close();
    expect(await nameOfError(kept.expires())).toBe('InvalidStateError');
  });
});

test('a bucket is neither made nor found behind a link', async () => {
  const host = openHost();
  const { storageBuckets } = host.origin(origin);
  await storageBuckets.open('b');
  const parent = path.join(host.root, 'origins/https_app.example/buckets');
  const elsewhere = `${host.root}-elsewhere`;
  fs.renameSync(parent, elsewhere);
  fs.symlinkSync(elsewhere, parent);
  expect(await nameOfError(storageBuckets.open('b'))).toBe('SecurityError');
  expect(await nameOfError(storageBuckets.open('c'))).toBe('SecurityError');
  expect(fs.readdirSync(elsewhere)).toHaveLength(1);
});

test('what is damaged in a named bucket is found, and what is whole is not', async () => {
  const host = openHost();
  const { storageBuckets } = host.origin(origin);
  for (const name of ['whole', 'damaged']) await createFile(await (await storageBuckets.open(name)).getDirectory(), 'file', name);
  await storageBuckets.open('gone');
  await storageBuckets.delete('gone');
  await host.close();
  const harmful = (): unknown[] => verify(host.root).findings.filter((each) => !isHarmless(each));
  expect(verify(host.root).journals).toBe(3 + 2 * 3);
  expect(harmful()).toEqual([]);
  const [id = ''] = namedDirectories(host.root);
  const journal = path.join(host.root, 'origins/https_app.example/buckets', id, 'locks/0');
  fs.writeFileSync(journal, 'nonsense');
  expect(harmful()).toEqual([expect.objectContaining({ bucket: id, journal: 'locks' })]);
});

describe('handles of a bucket', () => {
  test('are found again in another process, and are no other bucket’s', async () => {
    const host = openHost();
    const directory = await (await host.origin(origin).storageBuckets.open('b')).getDirectory();
    await createFile(directory, 'file', 'content');
    const data = serializeHandle(await directory.getFileHandle('file'));
    const other = openHost({ root: host.root });
    const handle = other.deserializeHandle(data, origin);
    expect(await handle.isSameEntry(await directory.getFileHandle('file'))).toBe(true);
    expect(await (await (handle as Awaited<ReturnType<typeof directory.getFileHandle>>).getFile()).text()).toBe('content');
    await host.origin(origin).storageBuckets.delete('b');
    await host.origin(origin).storageBuckets.open('b');
    expect(() => other.deserializeHandle(data, origin)).toThrow(expect.objectContaining({ name: 'DataCloneError' }));
  });

  test('are stored in databases of any bucket, and posted by channels', async () => {
    const host = openHost();
    const client = host.origin(origin);
    const bucket = await client.storageBuckets.open('b');
    await createFile(await bucket.getDirectory(), 'file', 'content');
    const handle = await (await bucket.getDirectory()).getFileHandle('file');
    const database = await openDatabase(client.indexedDB, 'database');
    await new Promise<void>((resolve, reject) => {
      const transaction = database.transaction('store', 'readwrite');
      transaction.objectStore('store').put({ handle }, 1);
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error);
    });
    const stored = await new Promise<{ handle: typeof handle }>((resolve) => {
      const request = database.transaction('store').objectStore('store').get(1);
      request.onsuccess = () => resolve(request.result as { handle: typeof handle });
    });
    expect(await stored.handle.isSameEntry(handle)).toBe(true);
    const [sender, receiver] = [new client.BroadcastChannel('c'), new (beside(host).BroadcastChannel)('c')];
    const posted = new Promise<MessageEvent>((resolve) => (receiver.onmessage = resolve));
    sender.postMessage(handle);
    const { data } = (await posted) as { data: typeof handle };
    expect(await (await data.getFile()).text()).toBe('content');
    database.close();
    sender.close();
    receiver.close();
  });
});

describe('in memory', () => {
  test('a bucket that nobody holds is forgotten, and one that is held is not', async () => {
    const host = openHost();
    const client = host.origin(origin);
    let bucket: Bucket | undefined = await client.storageBuckets.open('b');
    const [reference, held] = [new WeakRef(bucket), await client.storageBuckets.open('held')];
    bucket = undefined;
    await collectGarbage();
    expect(reference.deref()).toBe(undefined);
    await host.client(origin).storageBuckets.delete('held');
    expect(await nameOfError(held.persisted())).toBe('UnknownError');
  });
});
