// Storage buckets over processes. https://wicg.github.io/storage-buckets/
import assert from 'node:assert/strict';
import { startPeer } from '../kit/peer.mjs';
import { withHost } from '../kit/place.mjs';
import { test, until } from '../kit/test.mjs';

async function write(directory, name, text) {
  const writable = await (await directory.getFileHandle(name, { create: true })).createWritable();
  await writable.write(text);
  await writable.close();
}

const read = async (directory, name) => (await (await directory.getFileHandle(name)).getFile()).text();

test('a bucket has policies, files, caches and locks of its own', () =>
  withHost(async (_, { storage, storageBuckets }) => {
    const end = Date.now() + 1e9;
    const bucket = await storageBuckets.open('inbox', { durability: 'strict', persisted: true, quota: 1e6, expires: end });
    assert.deepEqual([bucket.name, await bucket.durability(), await bucket.persisted(), await bucket.expires()], ['inbox', 'strict', true, end]);
    await write(await bucket.getDirectory(), 'file', 'content');
    await assert.rejects((await storage.getDirectory()).getFileHandle('file'), { name: 'NotFoundError' });
    await (await bucket.caches.open('cache')).put('https://a.example/', new Response('cached'));
    assert.equal(await (await bucket.caches.match('https://a.example/')).text(), 'cached');
    assert.equal(await bucket.locks.request('lock', (lock) => lock.name), 'lock');
    const { usage, quota } = await bucket.estimate();
    assert.ok(usage > 0 && quota === 1e6);
    await assert.rejects(write(await bucket.getDirectory(), 'large', 'x'.repeat(1e6)), { name: 'QuotaExceededError' });
    await assert.rejects(storageBuckets.open('-wrong'), TypeError);
  }));

test('processes share buckets, and one that is deleted is gone for all', () =>
  withHost(async (host, { storageBuckets }) => {
    const peer = await startPeer(host.root);
    const bucket = await storageBuckets.open('shared');
    const directory = await bucket.getDirectory();
    await write(directory, 'file', 'from here');
    assert.equal(await peer.ask('readInBucket', 'shared', 'file'), 'from here');
    const handle = await (await directory.getFileHandle('file')).createSyncAccessHandle();
    await peer.ask('deleteBucket', 'shared');
    await assert.rejects(bucket.persisted(), { name: 'UnknownError' });
    await assert.rejects(directory.getFileHandle('file'), { name: 'InvalidStateError' });
    const isClosed = () => {
      try {
        handle.getSize();
        return false;
      } catch {
        return true;
      }
    };
    await until(isClosed, 'what was open is closed');
    const again = await storageBuckets.open('shared');
    await assert.rejects(read(await again.getDirectory(), 'file'), { name: 'NotFoundError' });
    assert.deepEqual(await peer.ask('bucketNames'), ['shared']);
    await again.setExpires(1);
    assert.deepEqual(await peer.ask('bucketNames'), []);
    await peer.leave();
  }));

test('the databases of a bucket are its own', async () => {
  if (process.versions.node?.startsWith('20.') && !process.versions.bun && !globalThis.Deno) return; // An optional peer is not installed there.
  await withHost(async (_, { storageBuckets }) => {
    const [a, b] = [await storageBuckets.open('a'), await storageBuckets.open('b')];
    await new Promise((resolve, reject) => {
      const request = a.indexedDB.open('d');
      request.onsuccess = () => resolve(request.result.close());
      request.onerror = () => reject(request.error);
    });
    assert.deepEqual([(await a.indexedDB.databases()).length, (await b.indexedDB.databases()).length], [1, 0]);
  });
});
