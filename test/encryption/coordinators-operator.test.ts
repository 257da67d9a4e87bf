import fs from 'node:fs';
import path from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, expect, test } from 'vitest';
import { AlarmIndex } from '../../src/disk/coordinator/alarm-index.ts';
import { tracesIn } from '../../src/disk/encryption/traces.ts';
import '../../src/host/indexed-db/provided.ts';
import { Root } from '../../src/disk/root/root.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { runHere } from '../cli/support.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { closeAll, filled, keeperOf, type Filled } from './coordinators.ts';
import { Canaries, key, newRoot, open, ORIGIN, until, within } from './parts.ts';
import { codeLater, snapshotOf, treeHas } from './support.ts';

const OTHER = 'https://b.example';

afterEach(closeAll);

function keyFile(): string[] {
  const file = path.join(temporaryDirectory(), 'key');
  fs.writeFileSync(file, key);
  return ['--key-file', file];
}

async function archiveOf(host: StorageHost, options: { readonly plain?: boolean } = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await host.exportOrigin(ORIGIN, options)) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** All that a coordinator was filled with, of whatever root and origin. */
async function content(root: string, { className, name, item, file }: Filled, origin = ORIGIN): Promise<unknown> {
  const { keeper, close } = keeperOf(open(root), className, origin);
  const found = [await keeper(name).get(item), await keeper(name).readFile(file), await keeper(name).getAlarm()];
  await close();
  return found;
}

test('a backup and an archive bring coordinators back with the key, and nothing of them without', async () => {
  const canaries = new Canaries();
  const [root, target, third] = [newRoot(), newRoot(), newRoot()];
  const from = await filled(open(root), canaries);
  const before = await content(root, from);
  const backups = path.join(temporaryDirectory(), 'backups');
  expect(await open(root).backup(backups)).toMatchObject({ problems: [] });
  expect(await codeLater(StorageHost.restore({ from: backups, root: target }))).toBe('key-missing');
  expect(await codeLater(StorageHost.restore({ from: backups, root: target, encryption: { key: Uint8Array.from(key, (byte) => byte ^ 1) } }))).toBe('key-wrong');
  expect(fs.existsSync(target)).toBe(false);
  await StorageHost.restore({ from: backups, root: target, encryption: { key } });
  expect(await content(target, from)).toEqual(before);
  await StorageHost.restore({ from: backups, root: target, origin: ORIGIN, as: OTHER, encryption: { key } });
  expect(await content(target, from, OTHER)).toEqual(before);

  const sealed = await archiveOf(open(root));
  expect(await codeLater(open(third, null).importOrigin(Readable.from([sealed])))).toBe('key-missing');
  expect(fs.existsSync(path.join(third, 'origins/https_a.example'))).toBe(false);
  await open(third).importOrigin(Readable.from([sealed]));
  expect(await content(third, from)).toEqual(before);
  await open(third).importOrigin(Readable.from([sealed]), { origin: OTHER });
  expect(await content(third, from, OTHER)).toEqual(before);
  await open(third).importOrigin(Readable.from([sealed]), { existing: 'merge' });
  expect(await content(third, from)).toEqual(before);
  for (const each of [root, target, third, backups]) expect(canaries.foundIn(each)).toEqual([]);
});

test('what is restored has no owner, and runs its alarm', async () => {
  const root = newRoot();
  const { keeper, close } = keeperOf(open(root), 'Keeper');
  await keeper('a').setAlarm(Date.now() + 300);
  await keeper('a').set('k', 'then');
  const backups = path.join(temporaryDirectory(), 'backups');
  await open(root).backup(backups);
  await keeper('a').set('k', 'later');
  await StorageHost.restore({ from: backups, root, origin: ORIGIN, replace: true, encryption: { key } });
  // Whoever runs it finds out with the next call, or the alarm.
  await until(async () => (await keeper('a').get('k').catch(() => null)) === 'then');
  await until(async () => (await keeper('a').alarms()) === 1);
  await close();
});

test('a plain archive becomes an encrypted coordinator, and back', async () => {
  const canaries = new Canaries();
  const [root, target] = [newRoot(), newRoot()];
  const from = await filled(open(root, null), canaries);
  const before = await content(root, from).catch(() => null);
  expect(before).toBeNull();
  const plain = await archiveOf(open(root, null));
  await open(target).importOrigin(Readable.from([plain]));
  expect(await content(target, from)).toEqual([from.value, from.value, from.alarm]);
  expect(canaries.foundIn(target)).toEqual([]);
  const again = await archiveOf(open(target), { plain: true });
  expect(again.includes(from.value)).toBe(true);
});

test('the commands list and verify them with the key, and say without it what can be said', async () => {
  const root = newRoot();
  const from = await filled(open(root), new Canaries());
  const before = snapshotOf(path.join(root, 'origins'));
  const withKey = keyFile();
  const lines = (out: string): Record<string, unknown>[] => out.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines((await runHere(root, ['coordinators', '--json', ...withKey])).out)).toMatchObject([{ origin: ORIGIN, className: from.className, name: from.name, items: 1, alarm: { time: from.alarm } }]);
  expect(await runHere(root, ['coordinators'])).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast coordinators: https:\/\/a\.example is encrypted[^\n]*\n$/) });
  expect(lines((await runHere(root, ['du', '--origin', ORIGIN, '--json', ...withKey])).out)).toEqual(expect.arrayContaining([expect.objectContaining({ bucket: `coordinators/${from.className}/${from.name}`, kind: 'fileSystem' })]));
  for (const args of [[], withKey]) expect(lines((await runHere(root, ['origins', '--json', ...args])).out)).toMatchObject([{ coordinators: { count: 1 } }]);
  expect((await runHere(root, ['locks', '--json', ...withKey])).code ?? 0).toBe(0);
  const verified = JSON.parse((await runHere(root, ['verify', '--json', ...withKey])).out) as { sound: boolean; findings: unknown[]; journals: number };
  expect(verified).toMatchObject({ sound: true, findings: [] });
  expect(JSON.parse((await runHere(root, ['verify', '--json'])).out)).toMatchObject({ sound: true, unauthenticated: [ORIGIN] });
  expect(snapshotOf(path.join(root, 'origins'))).toEqual(before);

  // A journal in another one's place, and a directory of another name.
  const { keeper, close } = keeperOf(open(root), from.className);
  await keeper('b').count();
  await close();
  const [classDirectory = ''] = fs.readdirSync(within(root, 'coordinators'));
  const [one = '', other = ''] = fs.readdirSync(within(root, 'coordinators', classDirectory)).map((name) => within(root, 'coordinators', classDirectory, name));
  fs.cpSync(path.join(one, 'turns'), path.join(other, 'turns'), { recursive: true, force: true });
  fs.renameSync(one, `${one.slice(0, -1)}${one.endsWith('a') ? 'b' : 'a'}`);
  const { findings } = JSON.parse((await runHere(root, ['verify', '--json', ...withKey])).out) as { findings: { kind: string; path: string; message: string }[] };
  expect(findings.some(({ kind, path: at }) => kind === 'damaged' && at.startsWith(path.join(other, 'turns')))).toBe(true);
  expect(findings.some(({ kind, message }) => kind === 'damaged' && message.startsWith('The name of its directory'))).toBe(true);
});

test('a new data key reaches all of them while they run, and the old one is forgotten', async () => {
  const root = newRoot();
  const from = await filled(open(root), new Canaries());
  const { keeper, close } = keeperOf(open(root), from.className);
  await keeper('runs').count();
  const host = open(root);
  await host.rekey(ORIGIN, { dataKey: true });
  expect(await keeper('runs').count()).toBe(2);
  await host.rekey(ORIGIN, { dataKey: true, files: true });
  expect(await keeper('runs').count()).toBe(3);
  expect([...tracesIn(within(root)).ids]).toEqual([3]);
  await close();
  expect(await content(root, from)).toEqual([from.value, from.value, from.alarm]);
});

test('whatever they are called, no key is forgotten that one of them bears', async () => {
  const root = newRoot();
  const encryption = { key, names: 'visible' } as const;
  const first = keeperOf(open(root, encryption), 'wake');
  for (const name of ['keys', 'wake', 'persisted', 'files.0', 'name', `%~${'0'.repeat(64)}`, 'x'.repeat(400)]) await first.keeper(name).set('name', name);
  await first.close();
  await open(root, encryption).rekey(ORIGIN, { dataKey: true, files: true });
  expect([...tracesIn(within(root)).ids]).toEqual([2]);
  expect(tracesIn(within(root))).toMatchObject({ plain: [], unfinished: [] });
  const { keeper, close } = keeperOf(open(root, encryption), 'wake');
  expect(await keeper('wake').get('name')).toBe('wake');
  await close();
});

test('an origin that was deleted and made again has none of them', async () => {
  const root = newRoot();
  const canaries = new Canaries();
  const from = await filled(open(root), canaries);
  const { keeper, close } = keeperOf(open(root), from.className);
  expect(await keeper('a').count()).toBe(1);
  await open(root).deleteOrigin(ORIGIN);
  expect(treeHas(root, from.name)).toEqual([]);
  await until(async () => (await keeper('a').count().catch(() => 0)) === 1);
  expect(await keeper('a').count()).toBe(2);
  expect(await keeper(from.name).get(from.item)).toBeNull();
  await close();
  expect(canaries.foundIn(root)).toEqual([]);
});

test('an origin that is deleted leaves no alarm behind that nobody could read any more, and takes none of another', async () => {
  const root = newRoot();
  await filled(open(root), new Canaries());
  const { keeper, close } = keeperOf(open(root, null), 'Plain', OTHER);
  await keeper('a').setAlarm(Date.now() + 1e7);
  await close();
  const index = new AlarmIndex(new Root(root, 'relaxed'), null);
  index.look();
  expect(index.size).toBe(2);
  // Nobody needs the key for that.
  expect(await open(root, null).deleteOrigin(ORIGIN)).toBe(true);
  index.look();
  expect(index.size).toBe(1);
  expect(index.due(Infinity)).toEqual([{ origin: OTHER, className: 'Plain', name: 'a' }]);
  index.close();
});
