import fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { StorageHost } from '../../src/host/storage-host.ts';
import { atEnd, openHost } from '../host/support.ts';
import { createFile } from './support.ts';
import { encrypted } from '../support/sealed.ts';

const origin = 'https://app.example';

/** The directories of an origin's named buckets. */
function directories(root: string): string[] {
  const folder = path.join(root, 'origins/https_app.example');
  return fs.readdirSync(folder).filter((name) => name !== 'default' && fs.statSync(path.join(folder, name)).isDirectory()).flatMap((name) => fs.readdirSync(path.join(folder, name)));
}

async function gone(root: string, left: number): Promise<void> {
  await vi.waitUntil(() => directories(root).length === left, { timeout: 30_000, interval: 10 });
}

test('a bucket that expires while nobody touches it is freed in the background', async () => {
  const host = openHost();
  const { storageBuckets } = host.origin(origin);
  const bucket = await storageBuckets.open('brief');
  await createFile(await bucket.getDirectory(), 'f', 'x');
  await storageBuckets.open('kept');
  const before = directories(host.root).length;
  await bucket.setExpires(Date.now() + 50);
  await gone(host.root, before - 1);
  await expect(bucket.getDirectory()).rejects.toMatchObject({ name: 'InvalidStateError' });
});

test('so is one whose end another process has set, or moved, once this one has looked', async () => {
  const one = openHost();
  const other = new StorageHost({ root: one.root, ...encrypted });
  atEnd(() => other.close());
  const bucket = await one.origin(origin).storageBuckets.open('b', { expires: Date.now() + 3_600_000 });
  const before = directories(one.root).length;
  const end = Date.now() + 500;
  await bucket.setExpires(end);
  const seen = await other.origin(origin).storageBuckets.keys();
  // A busy machine may come to it too late.
  if (Date.now() < end) expect(seen).toEqual(['b']);
  await one.close();
  await gone(one.root, before - 1);
});

test('one whose end is further away than a timer can wait is there until then', async () => {
  const { storageBuckets } = openHost().origin(origin);
  const bucket = await storageBuckets.open('far', { expires: Date.now() + 2 ** 40 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await storageBuckets.keys()).toEqual(['far']);
  expect(await bucket.expires()).toBeGreaterThan(Date.now() + 2 ** 39);
});
