import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import '../../src/host/broadcast-channel/provided.ts';
import '../../src/host/indexed-db/provided.ts';
import type { StorageClient } from '../../src/host/storage-client.ts';
import type { StorageHost } from '../../src/host/storage-host.ts';
import { atEnd, openHost } from '../host/support.ts';
import { until } from '../crash/support/scenarios.ts';
import { collect, createFile, namedDirectories, nameOfError, openDatabase, readFile } from './support.ts';
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

/** Everything that a program may hold of a bucket, and how each of it fails once the bucket is gone. */
async function holdAll(bucket: Bucket): Promise<{ check(): Promise<void>; isNoticed(): boolean }> {
  const directory = await bucket.getDirectory();
  await createFile(directory, 'file', 'content');
  const file = await directory.getFileHandle('file');
  const sync = await (await directory.getFileHandle('sync', { create: true })).createSyncAccessHandle();
  const writable = await file.createWritable();
  const cache = await bucket.caches.open('cache');
  const database = await openDatabase(bucket.indexedDB, 'database');
  let lost = false;
  const held = bucket.locks.request('lock', () => new Promise(() => undefined)).catch(() => (lost = true));
  await bucket.locks.query();
  const isClosed = (): boolean => {
    try {
      return sync.getSize() < 0;
    } catch {
      return true;
    }
  };
  return {
    isNoticed: isClosed,
    async check() {
      for (const policy of [bucket.persisted(), bucket.persist(), bucket.durability(), bucket.expires(), bucket.setExpires(1e15), bucket.estimate()]) {
        expect(await nameOfError(policy)).toBe('UnknownError');
      }
      expect(await nameOfError(bucket.caches.keys())).toBe('UnknownError');
      expect(await nameOfError(cache.match('https://a.example/'))).toBe('UnknownError');
      expect(await nameOfError(bucket.getDirectory())).toBe('InvalidStateError');
      expect(await nameOfError(directory.getFileHandle('new', { create: true }))).toBe('InvalidStateError');
      expect(await nameOfError(file.getFile())).toBe('InvalidStateError');
      expect(await nameOfError(bucket.locks.request('other', () => undefined))).toBe('InvalidStateError');
      await until(isClosed, 'for what is open to be closed');
      expect(() => sync.write(new Uint8Array(1))).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
      expect(await nameOfError(writable.write('more').then(() => writable.close()))).not.toBe('');
      expect(() => database.transaction('store')).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
      await held;
      expect(lost).toBe(true);
    },
  };
}

describe('a bucket that was deleted', () => {
  test('is gone for who deleted it, with all that was open', async () => {
    const host = openHost();
    const { storageBuckets } = host.origin(origin);
    const { check } = await holdAll(await storageBuckets.open('b'));
    await storageBuckets.delete('b');
    expect(await storageBuckets.keys()).toEqual([]);
    await check();
    await until(() => namedDirectories(host.root).length === 0, 'for its space to be freed');
  });

  test('is gone for every other process, by itself', async () => {
    const host = openHost();
    const { check, isNoticed } = await holdAll(await host.origin(origin).storageBuckets.open('b'));
    await beside(host).storageBuckets.delete('b');
    await until(isNoticed, 'for the other one to notice');
    await check();
    await until(() => namedDirectories(host.root).length === 0, 'for its space to be freed');
  });

  // Whoever may have to wait for a key deletes it a turn later.
  test.skipIf(isEncrypted)('is gone at once for whoever asks before the news came', async () => {
    const host = openHost();
    const bucket = await host.origin(origin).storageBuckets.open('b');
    const directory = await bucket.getDirectory();
    await createFile(directory, 'file', 'content');
    const other = beside(host);
    await other.storageBuckets.keys();
    await Promise.all([other.storageBuckets.delete('b'), nameOfError(bucket.persisted()).then((name) => expect(name).toBe('UnknownError'))]);
    expect(await nameOfError(directory.getFileHandle('file'))).toBe('InvalidStateError');
  });

  test('never comes back: one of its name is another one', async () => {
    const host = openHost();
    const other = beside(host);
    const old = await host.origin(origin).storageBuckets.open('b', { durability: 'strict', persisted: true });
    const { check } = await holdAll(old);
    const [oldDirectory] = [await old.getDirectory()];
    await other.storageBuckets.delete('b');
    const again = await other.storageBuckets.open('b');
    await createFile(await again.getDirectory(), 'file', 'new');
    await check();
    expect([await again.durability(), await again.persisted()]).toEqual(['relaxed', false]);
    const here = await host.origin(origin).storageBuckets.open('b');
    expect(await readFile(await here.getDirectory(), 'file')).toBe('new');
    expect(await collect((await here.getDirectory()).keys())).toEqual(['file']);
    expect(await oldDirectory.isSameEntry(await here.getDirectory())).toBe(false);
  });

  test('leaves responses that are being read readable', async () => {
    const host = openHost();
    const { storageBuckets } = host.origin(origin);
    const cache = await (await storageBuckets.open('b')).caches.open('cache');
    await cache.put('https://a.example/', new Response('x'.repeat(300_000)));
    const response = await cache.match('https://a.example/');
    const reader = response?.body?.getReader();
    const first = await reader?.read();
    await storageBuckets.delete('b');
    let bytes = first?.value?.length ?? 0;
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) bytes += next.value.length;
    expect(bytes).toBe(300_000);
  });

  test('whose directory somebody has taken away is made anew when it is opened', async () => {
    const host = openHost();
    const { storageBuckets } = host.origin(origin);
    const bucket = await storageBuckets.open('b');
    await createFile(await bucket.getDirectory(), 'file', 'content');
    fs.rmSync(path.join(host.root, 'origins/https_app.example/buckets'), { recursive: true });
    const again = await storageBuckets.open('b');
    expect(await collect((await again.getDirectory()).keys())).toEqual([]);
    await createFile(await again.getDirectory(), 'file', 'new');
    expect(await nameOfError(bucket.expires())).toBe('UnknownError');
  });
});

describe('a bucket that expires', () => {
  test('is gone for every process, whether it is persisted or open', async () => {
    const host = openHost();
    const { check } = await holdAll(await host.origin(origin).storageBuckets.open('b', { persisted: true }));
    const other = beside(host);
    await (await other.storageBuckets.open('b')).setExpires(Date.now() - 1);
    expect(await other.storageBuckets.keys()).toEqual([]);
    await check();
    const again = await host.origin(origin).storageBuckets.open('b');
    expect([await again.expires(), await again.persisted()]).toEqual([null, false]);
    await until(() => namedDirectories(host.root).length === 1, 'for the space of the old one to be freed');
  });

  test('lives on when its end is moved in time', async () => {
    const { storageBuckets } = clientOf();
    const bucket = await storageBuckets.open('b', { expires: Date.now() + 1e9 });
    await bucket.setExpires(Date.now() + 2e9);
    expect(await storageBuckets.keys()).toEqual(['b']);
    expect(await nameOfError(bucket.setExpires(NaN))).toBe('TypeError');
  });

  test('is gone on a root that is only read', async () => {
    const host = openHost();
    const bucket = await host.origin(origin).storageBuckets.open('b');
    await host.origin(origin).storageBuckets.open('kept');
    await bucket.setExpires(1);
    await host.close();
    const register = path.join(host.root, 'origins/https_app.example/default/register');
    const { openSync } = fs;
    atEnd(() => (fs.openSync = openSync));
    // What a disk that is mounted to be read answers.
    fs.openSync = (file, flags, mode) => {
      const isWritten = typeof flags === 'number' && (flags & fs.constants.O_RDWR) !== 0;
      if (isWritten && String(file).startsWith(register)) throw Object.assign(new Error('EROFS'), { code: 'EROFS' });
      return openSync(file, flags, mode);
    };
    const { storageBuckets } = beside(host);
    expect(await storageBuckets.keys()).toEqual(['kept']);
    expect(await (await storageBuckets.open('kept')).persisted()).toBe(false);
    expect(await (await storageBuckets.open('kept')).persist()).toBe(false);
  });
});
