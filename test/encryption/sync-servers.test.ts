import fs from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Hub } from '../../src/sync/hub.ts';
import { hex, sha256 } from '../../src/sync/replicator/digest.ts';
import { natsHub, postgresHub } from '../../src/sync/index.ts';
import { reportSkipped, tryStart } from '../support/servers/availability.ts';
import { startNats } from '../support/servers/nats.ts';
import { startPostgres } from '../support/servers/postgres.ts';
import type { RealServer } from '../support/servers/server.ts';
import { canary, KEY, newRoot, openHost, read, regionOf, write, type Region } from './sync-regions.ts';
import { filesIn } from './support.ts';

const postgres = await tryStart(() => startPostgres());
const nats = await tryStart(() => startNats());

/** How many files of a server's data, while it is stopped, have something of what was written, and how many there are. */
function found(data: string): { readonly files: number; readonly shown: number } {
  const names = filesIn(data);
  const shows = (name: string): boolean => name.includes('canary-') || fs.readFileSync(path.join(data, name)).includes('canary-');
  return { files: names.length, shown: names.filter(shows).length };
}

/** Two regions with files, values of any size and messages between them. */
async function exchange(hub: () => Hub, options: { readonly encryption?: undefined } = {}): Promise<void> {
  const hosts = ['eu', 'us'].map((name) => openHost(hub(), canary(name), options));
  const [eu, us] = hosts.map((host) => regionOf(host)) as [Region, Region];
  eu.localStorage.setItem(canary('key'), canary('value'));
  eu.localStorage.setItem(canary('large'), canary('large').repeat(8000));
  await write(eu, canary('name'), canary('content').repeat(100));
  await eu.sync.flush();
  await us.sync.caughtUp();
  expect(us.localStorage.getItem(canary('large'))).toBe(canary('large').repeat(8000));
  expect(await read(us, canary('name'))).toBe(canary('content').repeat(100));
  for (const host of hosts) await host.close();
}

function tests(server: RealServer, hub: () => Hub): void {
  afterAll(() => server.dispose());

  test('shows nothing of what encrypted regions gave it, and everything of plain ones', { timeout: 120_000 }, async () => {
    const data = path.join(server.folder, 'data');
    await exchange(hub);
    await server.kill();
    const sealed = found(data);
    expect(sealed.shown).toBe(0);
    expect(sealed.files).toBeGreaterThan(0);
    await server.restart();
    await exchange(hub, { encryption: undefined });
    await server.kill();
    expect(found(data).shown).toBeGreaterThan(0);
  });

  test('has nothing of a plain order any more that regions have encrypted', { timeout: 120_000 }, async () => {
    await server.restart();
    await encryptInPlace(hub);
  });
}

/** Two regions without the key; then with it, one after the other. */
async function encryptInPlace(hub: () => Hub): Promise<void> {
  const origin = 'https://moved.example';
  const roots = [newRoot(), newRoot()];
  const hosts = roots.map((root, index) => openHost(hub(), `r${index}`, { root, encryption: undefined }));
  const [eu, us] = hosts.map((host) => regionOf(host, origin)) as [Region, Region];
  eu.localStorage.setItem('large', canary('large').repeat(8000));
  await write(eu, 'file', canary('content').repeat(100_000));
  await eu.sync.flush();
  await us.sync.caughtUp();
  us.localStorage.setItem('us', canary('us'));
  await us.sync.flush();
  for (const host of hosts) await host.close();
  const plain = hub();
  await plain.connect();
  onTestFinished(() => plain.close());
  expect((await plain.log(origin).head()).position).toBeGreaterThan(0);
  const again = roots.map((root, index) => openHost(hub(), `r${index}`, { root, encryption: { key: KEY, plain: 'migrate' } }));
  for (const host of again) {
    const region = regionOf(host, origin);
    await region.sync.caughtUp();
    expect(region.localStorage.getItem('us')).toBe(canary('us'));
    expect(region.localStorage.getItem('large')).toBe(canary('large').repeat(8000));
    expect(await read(region, 'file')).toBe(canary('content').repeat(100_000));
    expect(region.sync.status()).toMatchObject({ rejected: 0, problem: '' });
  }
  for (const name of [origin, `${origin} files`]) {
    const { position, first } = await plain.log(name).head();
    expect(first).toBe(position + 1);
    expect((await plain.log(name).snapshot())?.bytes[0]).toBe(0x81);
  }
  const chunk = sha256(Buffer.from(canary('content').repeat(100_000)).subarray(0, 2 ** 20));
  expect(await plain.log(`${origin} files`).hasBlobs([hex(chunk)])).toEqual(new Set());
}

describe('the disk of a PostgreSQL', () => {
  const { server, missing } = postgres;
  if (server === null) reportSkipped('postgres', missing);
  else tests(server, () => postgresHub({ connectionString: server.url() }));
});

describe('the disk of a NATS server', () => {
  const { server, missing } = nats;
  if (server === null) reportSkipped('nats', missing);
  else tests(server, () => natsHub({ servers: server.url, user: server.user, pass: server.password }));
});
