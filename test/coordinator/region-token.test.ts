/** Regions whose token of the hub is bound to one origin. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { encodeIndexEntry } from '../../src/coordinator/regions/index-entries.ts';
import { encodeAlarm, NOTE } from '../../src/disk/coordinator/alarm-records.ts';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import type { CoordinatorRegions } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import type { Hub } from '../../src/sync/hub.ts';
import { embeddedHub, startHub } from '../../src/sync/index.ts';
import { Counter, folder, listed, ORIGIN, served, stubOf, TOKEN } from './regions-support.ts';

const BOUND = 'a-token-of-the-hub-for-one-origin';
const PATIENCE = { timeout: 60_000, interval: 100 };

async function startedHub(): Promise<string> {
  const tokenFile = path.join(folder(), 'tokens');
  fs.writeFileSync(tokenFile, `write app ${BOUND} for=${ORIGIN}\n`, { mode: 0o600 });
  const hub = await startHub({ root: path.join(folder(), 'hub'), tokenFile });
  onTestFinished(() => hub.close());
  return hub.url;
}

function open(url: string, name: string, options: Partial<CoordinatorRegions>): { coordinators: Coordinators; hub: Hub } {
  const host = new StorageHost({ root: path.join(folder(), name) });
  const hub = embeddedHub({ url, token: BOUND });
  const coordinators = new Coordinators(host, { Counter }, { regions: { hub, region: name, token: TOKEN, peers: {}, ...options } });
  onTestFinished(async () => {
    await coordinators.close();
    await hub.close();
    await host.close();
  });
  return { coordinators, hub };
}

test('with the option origin they call each other, set alarms and are woken, and have coordinators of that origin only', async () => {
  const url = await startedHub();
  const eu = open(url, 'eu', { origin: `${ORIGIN}/` });
  const server = await served(() => eu.coordinators.handler);
  const us = open(url, 'us', { origin: ORIGIN, peers: { eu: { url: server.url, token: TOKEN } } });
  expect(await stubOf(eu.coordinators, 'visits').increment()).toBe(1);
  expect(await stubOf(us.coordinators, 'visits').increment()).toBe(2);
  await stubOf(us.coordinators, 'visits').wakeIn(50);
  await vi.waitFor(async () => expect(await stubOf(us.coordinators, 'visits').waking()).toEqual([null, 1]), PATIENCE);
  expect(await listed(eu.coordinators)).toMatchObject([{ origin: ORIGIN, name: 'visits', epoch: 1, items: 2 }]);
  expect(() => us.coordinators.get('https://other.example', Counter, 'a')).toThrow(expect.objectContaining({ code: 'bad-option' }) as Error);
  // Its region is lost amid an alarm, and whoever holds the token has asked for others' coordinators to be woken.
  const foreign = { key: { origin: 'https://other.example', className: 'Counter', name: 'a' }, time: 1, epoch: 1 };
  await us.hub.log(`${ORIGIN} coordinators alarms`).append([{ id: 'foreign', bytes: encodeIndexEntry(NOTE, new Uint8Array(encodeAlarm(foreign))) }]);
  await stubOf(us.coordinators, 'visits').wakeIn(500);
  server.close();
  await eu.hub.close();
  await vi.waitFor(async () => expect(await stubOf(us.coordinators, 'visits').waking()).toEqual([null, 2]), PATIENCE);
});

test('without it a turn that sets an alarm fails, and nothing of it has happened', async () => {
  const { coordinators } = open(await startedHub(), 'eu', {});
  const visits = stubOf(coordinators, 'visits');
  expect(await visits.increment()).toBe(1);
  await expect(visits.wakeIn(50)).rejects.toMatchObject({ code: 'coordinator-reset', outcome: 'not-run', cause: { code: 'hub-unauthorized' } });
  expect(await visits.waking()).toEqual([null, 0]);
});
