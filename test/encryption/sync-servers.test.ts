import fs from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Hub } from '../../src/sync/hub.ts';
import { natsHub, postgresHub } from '../../src/sync/index.ts';
import { reportSkipped, tryStart } from '../support/servers/availability.ts';
import { startNats } from '../support/servers/nats.ts';
import { startPostgres } from '../support/servers/postgres.ts';
import type { RealServer } from '../support/servers/server.ts';
import { canary, openHost, read, regionOf, write, type Region } from './sync-regions.ts';
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
