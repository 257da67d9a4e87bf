import path from 'node:path';
import { expect, test } from 'vitest';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted } from '../support/sealed.ts';
import { origin, places } from './support.ts';

const place = places();

test('the named buckets of an origin come back, each with what it has', async () => {
  const { backups, home, host } = place();
  const client = host().origin(origin);
  client.localStorage.setItem('name', 'of the default one');
  const bucket = await client.storageBuckets.open('drafts', { persisted: true });
  const handle = await (await bucket.getDirectory()).getFileHandle('file', { create: true });
  const writable = await handle.createWritable();
  await writable.write('in a bucket');
  await writable.close();
  await (await bucket.caches.open('cache')).put('https://app.example/', new Response('cached'));
  expect((await host().backup(backups)).problems).toEqual([]);
  const root = path.join(home, 'restored');
  await StorageHost.restore({ from: backups, root, ...encrypted });
  const again = host(root).origin(origin);
  expect(await again.storageBuckets.keys()).toEqual(['drafts']);
  const restored = await again.storageBuckets.open('drafts');
  expect(await restored.persisted()).toBe(true);
  expect(await (await (await (await restored.getDirectory()).getFileHandle('file')).getFile()).text()).toBe('in a bucket');
  expect(await (await restored.caches.match('https://app.example/'))?.text()).toBe('cached');
  expect(again.localStorage.getItem('name')).toBe('of the default one');
});
