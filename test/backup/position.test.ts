import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type StorageClient, StorageHost } from '../../src/index.ts';
import { embeddedHub } from '../../src/sync/index.ts';
import { NO_CHAIN } from '../../src/disk/replica/chain.ts';
import type { Hub, HubLog } from '../../src/sync/hub.ts';
import { Wire } from '../../src/sync/replicator/wire.ts';
import { SealedConnection } from '../../src/sync/sealed/sealed-connection.ts';
import { commandOf, type Ended } from '../cli/support.ts';
import { sourceWith } from '../encryption/sync-attacks.ts';
import { encrypted, isEncrypted } from '../support/sealed.ts';
import { connected, startedHub, temporaryRoot, TOKEN } from '../sync/embedded/in-process.ts';
import { namesOf, origin, read, write } from './support.ts';

interface Region {
  readonly host: StorageHost;
  readonly client: StorageClient;
}

/** A region that follows the hub at a url. */
function region(url: string, name: string, root = temporaryRoot()): Region {
  const host = new StorageHost({ root, ...encrypted, sync: { hub: embeddedHub({ url, token: TOKEN }), region: name } });
  onTestFinished(() => host.close());
  return { host, client: host.origin(origin) };
}

interface State {
  readonly at: { readonly position: number; readonly filesPosition: number };
  readonly items: Readonly<Record<string, string>>;
  readonly files: Readonly<Record<string, string>>;
}

async function stateOf(client: StorageClient): Promise<Omit<State, 'at'>> {
  const files: Record<string, string> = {};
  for (const name of await namesOf(client)) files[name] = await read(client, name);
  return { items: { ...client.localStorage } as Record<string, string>, files };
}

/** What a region has where it has everything. */
async function settled(client: StorageClient): Promise<State> {
  await client.sync?.flush();
  await client.sync?.caughtUp();
  const { position = 0, filesPosition } = client.sync?.status() ?? {};
  return { at: { position, filesPosition: filesPosition ?? 0 }, ...(await stateOf(client)) };
}

/** The log of `localStorage`, whatever the hub calls it. */
async function orderOf(hub: Hub): Promise<HubLog> {
  if (!isEncrypted) return hub.log(origin);
  const connection = new SealedConnection(hub, sourceWith(7, [], origin));
  await connection.connect();
  return connection.log(origin);
}

/** What a restored root has, read without the hub. */
async function restored(root: string, of: string): Promise<Omit<State, 'at'>> {
  const host = new StorageHost({ root, ...encrypted });
  try {
    return await stateOf(host.origin(of));
  } finally {
    await host.close();
  }
}

test('every position that the hub still has comes back beside, exactly, from the nearest backup before it', async () => {
  const hub = await startedHub();
  const [here, there, backups] = [region(hub.url, 'eu'), region(hub.url, 'us'), temporaryRoot()];
  const states: State[] = [];
  for (let round = 0; round < 4; round += 1) {
    const { client } = round % 2 === 0 ? here : there;
    client.localStorage.setItem('round', String(round));
    client.localStorage.setItem(`of ${round}`, 'x'.repeat(round === 1 ? 100_000 : 10));
    if (round > 1) client.localStorage.removeItem(`of ${round - 2}`);
    await write(client, 'file', `content ${round}`);
    await write(client, `file ${round}`, 'y'.repeat(round * 1000));
    if (round > 1) await (await client.storage.getDirectory()).removeEntry(`file ${round - 2}`);
    const state = await settled(client);
    states.push(state);
    await here.client.sync?.caughtUp();
    await there.client.sync?.caughtUp();
    if (round % 2 === 0) await here.host.backup(backups);
  }
  const asked = await connected(hub.url);
  for (const [round, { at, ...state }] of states.entries()) {
    const root = temporaryRoot();
    const as = `https://round-${round}.example`;
    const result = await StorageHost.restore({ ...encrypted, from: backups, root, origin, as, at, hub: asked });
    expect(result).toMatchObject({ origins: [as], lost: [] });
    expect(await restored(root, as)).toEqual(state);
  }
  // What is not asked for stays as the backup has it.
  const [, first, second] = states;
  const root = temporaryRoot();
  await StorageHost.restore({ ...encrypted, from: backups, root, origin, at: { position: first?.at.position ?? 0 }, hub: asked });
  expect(await restored(root, origin)).toEqual({ items: first?.items, files: states[0]?.files });
  expect(second?.at.position).toBeGreaterThan(first?.at.position ?? 0);
  expect(await settled(here.client)).toEqual(await settled(there.client));
});

test('beside a running region it is another origin, which becomes new writes where it is exported and merged', async () => {
  const hub = await startedHub();
  const root = temporaryRoot();
  const [here, there, backups] = [region(hub.url, 'eu', root), region(hub.url, 'us'), temporaryRoot()];
  const before = 'https://before.example';
  here.client.localStorage.setItem('kept', '1');
  await settled(here.client);
  await here.host.backup(backups);
  there.client.localStorage.setItem('prices', 'right');
  await write(there.client, 'report', 'right');
  const { at } = await settled(there.client);
  there.client.localStorage.setItem('prices', 'wrong');
  await write(there.client, 'report', 'wrong');
  await settled(there.client);
  await here.client.sync?.caughtUp();

  const asked = await connected(hub.url);
  await expect(StorageHost.restore({ ...encrypted, from: backups, root, origin, at, hub: asked })).rejects.toMatchObject({ code: 'origin-exists' });
  await expect(StorageHost.restore({ ...encrypted, from: backups, root, origin, at, hub: asked, replace: true })).rejects.toMatchObject({ code: 'bad-option' });
  await StorageHost.restore({ ...encrypted, from: backups, root, origin, as: before, at, hub: asked });
  const client = here.host.origin(before);
  expect(await stateOf(client)).toEqual({ items: { kept: '1', prices: 'right' }, files: { report: 'right' } });
  // It is a region's origin of its own, in the hub's order under its own name.
  client.localStorage.setItem('more', 'of its own');
  await client.sync?.flush();
  await client.sync?.caughtUp();
  expect(await stateOf(client)).toEqual({ items: { kept: '1', prices: 'right', more: 'of its own' }, files: { report: 'right' } });
  client.localStorage.removeItem('more');

  await here.host.importOrigin(await here.host.exportOrigin(before), { origin, existing: 'merge' });
  const healed = await settled(here.client);
  expect(healed).toMatchObject({ items: { kept: '1', prices: 'right' }, files: { report: 'right' } });
  await there.client.sync?.caughtUp();
  expect(await stateOf(there.client)).toEqual({ items: healed.items, files: healed.files });
});

test('the command restores a position, asking the hub with the token of the environment or a file', async () => {
  const hub = await startedHub();
  const [root, backups] = [temporaryRoot(), temporaryRoot()];
  const { host, client } = region(hub.url, 'eu', root);
  client.localStorage.setItem('name', 'one');
  await settled(client);
  await host.backup(backups);
  client.localStorage.setItem('name', 'two');
  const { at } = await settled(client);
  client.localStorage.setItem('name', 'three');
  await settled(client);
  const token = path.join(path.dirname(root), 'token');
  fs.writeFileSync(token, `${TOKEN}\n`, { mode: 0o600 });
  const run = commandOf(root);
  const [before, position] = ['https://before.example', `position=${at.position},filesPosition=${at.filesPosition}`];
  const asked = ['--hub', hub.url, '--hub-token-file', token];
  const restore = (...more: string[]): Promise<Ended> => run('restore', '--from', backups, '--origin', origin, '--at', position, ...more);
  expect(await restore('--as', before, ...asked)).toMatchObject({ code: 0, err: '', out: expect.stringMatching(new RegExp(`^${before} at ${position}, from the backup of .*\n$`)) as string });
  expect(await run('get', '--origin', before, 'name', '--raw')).toMatchObject({ code: 0, out: 'two' });
  // In the place of the present one the hub would give it back what came later.
  expect(await restore(...asked)).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast restore: .* restore a position beside it[^\n]*\n$/) as string });
  expect(await restore('--as', before)).toMatchObject({ code: 2, err: expect.stringContaining("a position in '--at' needs '--origin' and '--hub'") as string });
  expect(await restore('--as', before, '--hub', 'ftp://hub.example')).toMatchObject({ code: 2 });
});

test('what cannot be had is said, and nothing is changed', async () => {
  const hub = await startedHub();
  const [{ host, client }, backups] = [region(hub.url, 'eu'), temporaryRoot()];
  client.localStorage.setItem('value', '1');
  const first = await settled(client);
  await host.backup(backups);
  client.localStorage.setItem('value', '2');
  const second = await settled(client);
  client.localStorage.setItem('value', '3');
  const third = await settled(client);
  const asked = await connected(hub.url);
  const root = temporaryRoot();
  const attempt = async (at: { position?: number; filesPosition?: number }, by = asked): Promise<string> => {
    const outcome = await StorageHost.restore({ ...encrypted, from: backups, root, origin, at, hub: by }).then(
      () => 'restored',
      (error: { code: string }) => error.code,
    );
    const entries = fs.existsSync(root) ? ['origins', 'new'].flatMap((name) => fs.readdirSync(path.join(root, name))) : [];
    expect(entries, 'what is left').toEqual([]);
    return outcome;
  };
  expect(await attempt({ position: first.at.position - 1 })).toBe('backup-missing');
  expect(await attempt({ position: third.at.position + 1 })).toBe('bad-option');
  expect(await attempt({})).toBe('bad-option');
  expect(await attempt({ position: -1 })).toBe('bad-option');
  const other = await startedHub();
  expect(await attempt({ position: second.at.position }, await connected(other.url))).toBe('hub-damaged');
  const log = await orderOf(asked);
  await log.putSnapshot({ position: third.at.position, bytes: Buffer.from('later') });
  await log.trim(third.at.position);
  expect(await attempt({ position: second.at.position })).toBe('hub-trimmed');
});

test('an entry that only newer code knows ends it, where a region would wait to be updated', async () => {
  const hub = await startedHub();
  const [{ host, client }, backups] = [region(hub.url, 'eu'), temporaryRoot()];
  client.localStorage.setItem('value', '1');
  await settled(client);
  await host.backup(backups);
  const asked = await connected(hub.url);
  const log = await orderOf(asked);
  const operations = [{ session: 5, sequence: 1, kind: 199, payload: new Uint8Array(0) }];
  const entry = new Wire(await asked.connect(), 'us').encode({ incarnation: randomUUID(), region: 'us', first: 1, previous: NO_CHAIN, operations }, { position: 0, digest: new Uint8Array(0) });
  await log.append([{ id: 'x', bytes: entry.bytes }]);
  const { position } = await log.head();
  const restoring = StorageHost.restore({ ...encrypted, from: backups, root: temporaryRoot(), origin, at: { position }, hub: asked });
  await expect(restoring).rejects.toMatchObject({ code: 'hub-incompatible', message: expect.stringContaining('kind 199') as string });
});

test('writes that the region had and the hub did not at that position are not taken for a part of it', async () => {
  const hub = await startedHub();
  const root = temporaryRoot();
  const [there, backups, onlyLater] = [region(hub.url, 'us'), temporaryRoot(), temporaryRoot()];
  there.client.localStorage.setItem('value', 'theirs');
  await write(there.client, 'file', 'theirs');
  await settled(there.client);
  const here = region(hub.url, 'eu', root);
  await settled(here.client);
  await here.host.backup(backups);
  await here.host.close();
  // Nobody speaks with the hub: what is written waits, and of a file not even a journal says so.
  const alone = new StorageHost({ root, ...encrypted });
  alone.origin(origin).localStorage.setItem('value', 'ours');
  await write(alone.origin(origin), 'file', 'ours');
  for (const to of [backups, onlyLater]) await alone.backup(to);
  await alone.close();
  there.client.localStorage.setItem('between', '1');
  await write(there.client, 'between', '1');
  const between = await settled(there.client);
  const late = await settled(region(hub.url, 'eu', root).client);
  expect(late).toMatchObject({ items: { value: 'ours', between: '1' }, files: { file: 'ours', between: '1' } });

  const asked = await connected(hub.url);
  const restore = (at: State['at'], from: string, to: string): Promise<unknown> => StorageHost.restore({ ...encrypted, from, root: to, origin, at, hub: asked });
  for (const { at, ...state } of [between, late]) {
    const to = temporaryRoot();
    await restore(at, backups, to);
    expect(await restored(to, origin)).toEqual(state);
  }
  await expect(restore(between.at, onlyLater, temporaryRoot())).rejects.toMatchObject({ code: 'backup-missing', message: expect.stringContaining('choose a later position') as string });
});
