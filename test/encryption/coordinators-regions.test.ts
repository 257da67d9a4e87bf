import fs from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { Coordinator, Coordinators, type CoordinatorRegions } from '../../src/host/coordinator/index.ts';
import type { EncryptionOptions } from '../../src/host/encryption/options.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import type { Hub } from '../../src/sync/hub.ts';
import { embeddedHub, postgresHub, startHub, type RunningHub } from '../../src/sync/index.ts';
import { runHere } from '../cli/support.ts';
import { folder, HUB_TOKEN, served, TOKEN } from '../coordinator/regions-support.ts';
import { reportSkipped, tryStart } from '../support/servers/availability.ts';
import { startPostgres } from '../support/servers/postgres.ts';
import { codeOf } from './operator.ts';
import { Canaries } from './parts.ts';
import { filesIn, treeHas } from './support.ts';
import { KEY, OTHER_KEY } from './sync-regions.ts';

const canaries = new Canaries();
const ORIGIN = `https://${canaries.new()}.example`;
const [CLASS = '', NAME = '', ITEM = '', VALUE = '', REGION = ''] = Array.from({ length: 5 }, () => canaries.new());

class Book extends Coordinator {
  add(value: string): number {
    const entries = [...this.all(), value];
    this.localStorage.setItem(ITEM, JSON.stringify(entries));
    return entries.length;
  }

  all(): string[] {
    return JSON.parse(this.localStorage.getItem(ITEM) ?? '[]') as string[];
  }

  wake(): void {
    this.state.setAlarm(Date.now() + 20);
  }

  override alarm(): void {
    this.add(VALUE);
  }
}

interface Region {
  readonly coordinators: Coordinators;
  readonly book: Book;
  end(): Promise<void>;
}

interface RegionOptions extends Partial<CoordinatorRegions> {
  readonly encryption?: EncryptionOptions | undefined;
  readonly root?: string;
}

/** A region that encrypts, unless it is told otherwise. */
function start(hub: Hub, region: string, options: RegionOptions = {}): Region {
  const { root = path.join(folder(), 'root'), encryption, ...regions } = { encryption: { key: KEY }, ...options };
  const host = new StorageHost({ root, ...(encryption && { encryption }) });
  const coordinators = new Coordinators(host, { [CLASS]: Book }, { regions: { hub, region, token: TOKEN, peers: {}, origin: ORIGIN, ...regions } });
  const end = async (): Promise<void> => {
    await coordinators.close();
    await hub.close();
    await host.close();
  };
  onTestFinished(end);
  return { coordinators, book: coordinators.get(ORIGIN, CLASS, NAME) as unknown as Book, end };
}

async function startedHub(): Promise<{ readonly hub: RunningHub; readonly root: string }> {
  const root = path.join(folder(), 'hub');
  const hub = await startHub({ root, token: HUB_TOKEN });
  onTestFinished(() => hub.close());
  return { hub, root };
}

const clientOf = ({ url }: { readonly url: string }): Hub => embeddedHub({ url, token: HUB_TOKEN });

/** Two regions that call each other: one has the coordinator, and goes; the other takes it over, and lists it. */
async function exchange(hub: () => Hub, encryption?: EncryptionOptions | null): Promise<void> {
  const options = encryption === undefined ? {} : { encryption: encryption ?? undefined };
  let first: Region | null = null;
  const { url, close } = await served(() => (request) => (first as Region).coordinators.handler(request));
  first = start(hub(), REGION, options);
  expect(await first.book.add(VALUE)).toBe(1);
  const second = start(hub(), 'second', { ...options, peers: { [REGION]: { url, token: TOKEN } } });
  expect(await second.book.add(VALUE)).toBe(2);
  await first.book.wake();
  await expect.poll(() => second.book.all()).toEqual([VALUE, VALUE, VALUE]);
  await first.end();
  close();
  expect(await second.book.add(VALUE)).toBe(4);
  const listed = [];
  for await (const each of second.coordinators.list()) listed.push(each);
  expect(listed).toMatchObject([{ className: CLASS, name: NAME, items: 1, owner: { answers: true } }]);
  await second.end();
}

test('coordinators of two encrypted regions work as plain ones do, and the hub has nothing plain of them', async () => {
  const { hub, root } = await startedHub();
  await exchange(() => clientOf(hub));
  await hub.close();
  expect(canaries.foundIn(root)).toEqual([]);
});

test('what they write is encrypted in snapshots too, and read by who comes later', async () => {
  const { hub, root } = await startedHub();
  const first = start(clientOf(hub), REGION);
  for (let round = 0; round < 10; round += 1) expect(await first.book.add(VALUE.repeat(3_000))).toBe(round + 1);
  await first.end();
  const snapshots = filesIn(root).filter((name) => /snapshot/.test(name));
  expect(snapshots.some((name) => fs.statSync(path.join(root, name)).size > 100_000)).toBe(true);
  const second = start(clientOf(hub), REGION);
  expect(await second.book.all()).toEqual(Array.from({ length: 10 }, () => VALUE.repeat(3_000)));
  await second.end();
  await hub.close();
  expect(canaries.foundIn(root)).toEqual([]);
});

test('who has the key lists them on the command line; who asks a hub in vain makes nothing in it', async () => {
  const { hub, root } = await startedHub();
  const [token, file, nowhere] = ['token', 'key', 'none'].map((name) => path.join(folder(), name)) as [string, string, string];
  fs.writeFileSync(token, HUB_TOKEN);
  fs.writeFileSync(file, KEY);
  const list = (...args: readonly string[]): ReturnType<typeof runHere> => runHere(nowhere, ['coordinators', '--origin', ORIGIN, '--hub', hub.url, '--hub-token-file', token, ...args]);
  expect((await list('--key-file', file)).out).toContain('keeps no coordinators');
  expect(filesIn(root).filter((name) => name.startsWith('logs'))).toEqual([]);
  const region = start(clientOf(hub), REGION);
  await region.book.add(VALUE);
  await region.end();
  expect(filesIn(root).filter((name) => name.startsWith('logs')).length).toBeGreaterThan(0);
  expect(await list('--key-file', file)).toMatchObject({ code: 0, out: expect.stringContaining(NAME) });
  expect((await list()).out).toContain('keeps no coordinators');
  fs.writeFileSync(file, OTHER_KEY);
  expect(await list('--key-file', file)).toMatchObject({ code: 1, out: '' });
});

test('with a key that is wrong, missing or late, or without an origin, nothing is run or written', async () => {
  const { hub } = await startedHub();
  const region = start(clientOf(hub), REGION);
  expect(await region.book.add(VALUE)).toBe(1);
  await region.end();
  const wrong = start(clientOf(hub), 'wrong', { encryption: { key: OTHER_KEY } });
  expect(await codeOf(Promise.resolve(wrong.book.add(VALUE)))).toBe('key-wrong');
  const missing = start(clientOf(hub), 'missing', { encryption: { keyFor: () => Promise.reject(new Error('away')) } });
  expect(await codeOf(Promise.resolve(missing.book.add(VALUE)))).toBe('key-missing');
  const late = start(clientOf(hub), 'late', { encryption: { keyFor: () => new Promise((resolve) => setTimeout(resolve, 20, KEY)) } });
  expect(await late.book.add(VALUE)).toBe(2);
  expect(() => start(clientOf(hub), 'any', { origin: undefined })).toThrow("'regions.origin'");
});

test('after the data keys have changed all is readable, and what is new bears the new one', async () => {
  const { hub } = await startedHub();
  const root = path.join(folder(), 'root');
  const region = start(clientOf(hub), REGION, { root });
  expect(await region.book.add(VALUE)).toBe(1);
  const host = new StorageHost({ root, encryption: { key: OTHER_KEY, previous: [KEY] } });
  host.origin(ORIGIN).localStorage.setItem('k', 'v');
  const client = clientOf(hub);
  expect(await host.rekey(ORIGIN, { dataKey: true, hub: client })).toBe(true);
  await host.close();
  await client.close();
  expect(await region.book.add(VALUE)).toBe(2);
  await region.end();
  const after = start(clientOf(hub), REGION, { root, encryption: { key: OTHER_KEY } });
  expect(await after.book.add(VALUE)).toBe(3);
});

const postgres = await tryStart(() => startPostgres());

describe('the disk of a PostgreSQL', () => {
  const { server, missing } = postgres;
  if (server === null) return reportSkipped('postgres', missing);
  afterAll(() => server.dispose());

  test('shows nothing of what encrypted coordinators gave it, and everything of plain ones', { timeout: 120_000 }, async () => {
    const data = path.join(server.folder, 'data');
    await exchange(() => postgresHub({ connectionString: server.url() }));
    await server.kill();
    expect(filesIn(data).length).toBeGreaterThan(0);
    expect(canaries.foundIn(data)).toEqual([]);
    await server.restart();
    await exchange(() => postgresHub({ connectionString: server.url() }), null);
    await server.kill();
    expect(treeHas(data, VALUE).length).toBeGreaterThan(0);
    expect(fs.existsSync(data)).toBe(true);
  });
});
