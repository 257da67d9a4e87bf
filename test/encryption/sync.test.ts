import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import '../../src/host/broadcast-channel/provided.ts';
import { startedHub } from '../sync/embedded/in-process.ts';
import { contentOf, treeHas } from './support.ts';
import { canary, clientOf, KEY, newRoot, openHost, openRegion, ORIGIN, read, regionOf, write } from './sync-regions.ts';

/** More than travels in an entry. */
const LARGE = canary('large').repeat(8000);

test('two regions of one key have what either wrote, and the hub sees nothing of it', async () => {
  const hub = await startedHub();
  const [euRoot, usRoot] = [newRoot(), newRoot()];
  const eu = openRegion(clientOf(hub), canary('eu'), { root: euRoot });
  const us = openRegion(clientOf(hub), canary('us'), { root: usRoot });
  eu.localStorage.setItem(canary('key'), canary('value'));
  eu.localStorage.setItem('large', LARGE);
  await write(eu, canary('name'), canary('content'));
  await eu.sync.flush();
  await us.sync.caughtUp();
  expect(us.localStorage.getItem(canary('key'))).toBe(canary('value'));
  expect(us.localStorage.getItem('large')).toBe(LARGE);
  // A stub stands in its place until it is read.
  expect(treeHas(usRoot, canary('name'))).toEqual([]);
  expect(await read(us, canary('name'))).toBe(canary('content'));
  us.localStorage.setItem('back', canary('back'));
  await write(us, canary('name'), canary('more').repeat(70_000));
  await us.sync.flush();
  await eu.sync.caughtUp();
  expect(eu.localStorage.getItem('back')).toBe(canary('back'));
  expect(await read(eu, canary('name'))).toBe(canary('more').repeat(70_000));
  expect(eu.sync.status()).toMatchObject({ connected: true, pending: 0, rejected: 0, problem: '' });
  for (const root of [euRoot, usRoot, hub.root]) expect(treeHas(root, 'canary-').filter((name) => !isNamedByOrigin(name, root))).toEqual([]);
  expect(treeHas(hub.root, 'canary-origin')).toEqual([]);
});

/** A region's root says which origins there are. */
function isNamedByOrigin(name: string, root: string): boolean {
  const bytes = contentOf(path.join(root, name)).toString('latin1').replaceAll(ORIGIN, '');
  return !bytes.includes('canary-') && !name.replaceAll('canary-origin', '').includes('canary-');
}

test('a region goes on after its restart, and one that comes late has it all', async () => {
  const hub = await startedHub();
  const root = newRoot();
  const before = openHost(clientOf(hub), 'eu', { root });
  const first = regionOf(before);
  first.localStorage.setItem('a', '1');
  await write(first, 'file', 'one');
  await first.sync.flush();
  await before.close();
  const again = openRegion(clientOf(hub), 'eu', { root });
  again.localStorage.setItem('b', '2');
  await again.sync.flush();
  const late = openRegion(clientOf(hub), 'late', { files: 'eager' });
  await late.sync.caughtUp();
  expect(Object.entries(late.localStorage)).toEqual([['a', '1'], ['b', '2']]);
  expect(await read(late, 'file')).toBe('one');
});

test('regions that begin at once agree on the keys of the first', async () => {
  const hub = await startedHub();
  const regions = ['a', 'b', 'c', 'd'].map((name) => openRegion(clientOf(hub), name));
  for (const [index, region] of regions.entries()) region.localStorage.setItem(`k${index}`, 'v');
  await Promise.all(regions.map((region) => region.sync.flush()));
  await Promise.all(regions.map((region) => region.sync.caughtUp()));
  for (const region of regions) expect(Object.keys(region.localStorage).sort()).toEqual(['k0', 'k1', 'k2', 'k3']);
});

test('messages of channels reach the other region, and the hub cannot read them', async () => {
  const hub = await startedHub();
  const eu = openRegion(clientOf(hub), 'eu', { broadcast: true });
  const us = openRegion(clientOf(hub), 'us', { broadcast: true });
  const receiver = new us.BroadcastChannel(canary('channel'));
  const sender = new eu.BroadcastChannel(canary('channel'));
  const heard = new Promise((resolve) => (receiver.onmessage = (event) => resolve(event.data)));
  await us.sync.caughtUp();
  await eu.sync.caughtUp();
  // What is posted before both have come to the hub stays in its region.
  const timer = setInterval(() => sender.postMessage(canary('message')), 50);
  expect(await heard).toBe(canary('message'));
  clearInterval(timer);
  expect(treeHas(hub.root, 'canary-')).toEqual([]);
});

test('the same content does not show in the logs of two origins', async () => {
  const hub = await startedHub();
  const host = openHost(clientOf(hub), 'eu', { encryption: { key: KEY } });
  const regions = ['https://one.example', 'https://two.example'].map((origin) => regionOf(host, origin));
  for (const region of regions) {
    region.localStorage.setItem('large', LARGE);
    await write(region, 'file', LARGE);
    await region.sync.flush();
  }
  const blobs = fs.readdirSync(hub.root, { recursive: true, encoding: 'utf8' }).filter((name) => /[0-9a-f]{64}$/.test(name)).map((name) => path.basename(name).slice(-64));
  expect(blobs.length).toBeGreaterThan(2);
  expect(new Set(blobs).size).toBe(blobs.length);
});
