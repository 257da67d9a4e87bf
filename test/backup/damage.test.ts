import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checkBackups, type Checked } from '../../src/disk/backup/check.ts';
import { isSafePath } from '../../src/disk/backup/listing.ts';
import { prune } from '../../src/disk/backup/prune.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted, isEncrypted } from '../support/sealed.ts';
import { contentsOf, namesOf, origin, places, read, write } from './support.ts';

const place = places();

const check = (): Promise<Checked> => checkBackups(place().backups, () => undefined);

/** The files of chunks, the largest first. */
function chunks(): string[] {
  const { backups } = place();
  const names = fs.readdirSync(path.join(backups, 'chunks'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const files = names.map((entry) => path.join(entry.parentPath, entry.name));
  return files.sort((a, b) => fs.statSync(b).size - fs.statSync(a).size);
}

async function backUp(): Promise<string> {
  const { host, backups } = place();
  const client = host().origin(origin);
  client.localStorage.setItem('name', 'value');
  const noise = Array.from({ length: 2_000 }, (_, index) => createHash('sha256').update(String(index)).digest('base64')).join('');
  await write(client, 'large', noise);
  await write(client, 'small', 'content');
  await host().backup(backups);
  return noise;
}

/** Where the large file is; encrypted, its name says nothing. */
const large = isEncrypted ? (expect.stringMatching(/^default\/files\.0\/[0-9a-v]+$/) as string) : 'default/files.0/large';

const damages: [string, (file: string) => void][] = [
  ['missing', (file) => fs.rmSync(file)],
  ['cut short', (file) => fs.truncateSync(file, 100)],
  ['empty', (file) => fs.truncateSync(file)],
  ['of other bytes', (file) => fs.writeFileSync(file, fs.readFileSync(file).fill(7, 5000, 5001))],
  ['of another method', (file) => fs.writeFileSync(file, fs.readFileSync(file).fill(9, 4, 5))],
  ['a bomb', (file) => fs.writeFileSync(file, Buffer.alloc(2 ** 23))],
  ['a link', (file) => (fs.rmSync(file), fs.symlinkSync('/etc/hostname', file))],
];

test.each(damages)('a chunk that is %s is found and named, and costs only what it held', async (_, harm) => {
  await backUp();
  const { backups, home, host } = place();
  expect(await check()).toMatchObject({ backups: 1, damage: [] });
  const [victim = ''] = chunks();
  harm(victim);
  const { damage } = await check();
  expect(damage).toEqual([expect.objectContaining({ origin, path: large, message: expect.stringContaining(path.basename(victim)) as string })]);
  const root = path.join(home, 'restored');
  const failing = StorageHost.restore({ from: backups, root, ...encrypted });
  await expect(failing).rejects.toMatchObject({ code: 'backup-damaged', message: expect.stringContaining(path.basename(victim)) as string });
  expect(fs.readdirSync(path.join(root, 'origins'))).toEqual([]);
  const { lost } = await StorageHost.restore({ from: backups, root, skipDamaged: true, ...encrypted });
  expect(lost).toEqual([expect.objectContaining({ path: large })]);
  const client = host(root).origin(origin);
  expect(client.localStorage.getItem('name')).toBe('value');
  expect(await namesOf(client)).toEqual(['small']);
  expect(await read(client, 'small')).toBe('content');
  // The next backup stores it again, once the damaged one is away.
  fs.rmSync(victim, { force: true });
  await host().backup(backups);
  expect(await check()).toMatchObject({ damage: [] });
});

// The keys of an encrypted origin would be lost with it, and so all that it has.
test.skipIf(isEncrypted)('a listing that is damaged is said to be so, and a journal that is lost begins anew', async () => {
  await backUp();
  const { backups, home, host } = place();
  for (const file of chunks().slice(1)) fs.truncateSync(file, 3);
  const { damage } = await check();
  expect(damage.length).toBeGreaterThan(0);
  const root = path.join(home, 'restored');
  const { lost } = await StorageHost.restore({ from: backups, root, skipDamaged: true, ...encrypted });
  expect(lost.length).toBeGreaterThan(0);
  const client = host(root).origin(origin);
  expect(client.localStorage.length).toBe(0);
  client.localStorage.setItem('name', 'anew');
});

test('a manifest that is damaged is not used, nor are chunks removed while nobody knows what it needs', async () => {
  await backUp();
  const { backups, home, host } = place();
  const manifests = path.join(backups, 'backups');
  const [name = ''] = fs.readdirSync(manifests);
  const whole = fs.readFileSync(path.join(manifests, name), 'utf8');
  fs.writeFileSync(path.join(manifests, name), whole.replace('app.example', 'bad.example'));
  expect((await check()).damage).toEqual([expect.objectContaining({ origin: null })]);
  await expect(StorageHost.restore({ from: backups, root: path.join(home, 'restored'), ...encrypted })).rejects.toMatchObject({ code: 'backup-damaged' });
  const before = contentsOf(backups);
  await expect(prune(backups, [{ unit: 'h', count: 1 }])).rejects.toMatchObject({ code: 'backup-damaged' });
  before.delete('holder');
  const after = contentsOf(backups);
  after.delete('holder');
  expect(after).toEqual(before);
  // A backup does not rely on it.
  await host().backup(backups);
  await StorageHost.restore({ from: backups, root: path.join(home, 'restored'), ...encrypted });
});

/** Replaces the last manifest by one that a stranger has made. */
function forge(change: (manifest: { format: number; origins: { origin: string; listing: string[] }[] }) => void): void {
  const manifests = path.join(place().backups, 'backups');
  const [name = ''] = fs.readdirSync(manifests);
  const manifest = JSON.parse(fs.readFileSync(path.join(manifests, name), 'utf8')) as Parameters<typeof change>[0];
  change(manifest);
  const text = `${JSON.stringify(manifest)}\n`;
  fs.rmSync(path.join(manifests, name));
  fs.writeFileSync(path.join(manifests, `${name.slice(0, 19)}-${createHash('sha256').update(text).digest('hex').slice(0, 32)}.json`), text);
}

/** A chunk of these lines. */
function plant(lines: unknown[]): string {
  const content = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const name = createHash('sha256').update(content).digest('hex');
  const directory = path.join(place().backups, 'chunks', name.slice(0, 2));
  fs.mkdirSync(directory, { recursive: true });
  fs.writeFileSync(path.join(directory, name), Buffer.concat([Buffer.from('HFCK\0\0\0\0'), content]));
  return name;
}

const hostile: [string, unknown[]][] = [
  ['above', ['f', '../../../stolen', 0, '1', '1', 0, 0, []]],
  ['at the top', ['f', '/tmp/stolen', 0, '1', '1', 0, 0, []]],
  ['behind a backslash', ['f', 'default\\..\\..\\stolen', 0, '1', '1', 0, 0, []]],
  ['a directory above', ['d', 'default/../../../stolen']],
  ['a place above', ['p', '../stolen', ['locks']]],
  ['an unknown part', ['p', 'default', ['../../stolen']]],
  ['a chunk that is a path', ['f', 'default/a', 1, '1', '1', 0, 0, ['../../../etc/passwd']]],
  ['sizes below nothing', ['f', 'default/a', -1, '1', '1', 0, 0, []]],
  ['an unknown kind', ['x', 'default/a']],
  ['a file in a file', ['f', 'origin.json/a', 0, '1', '1', 0, 0, []]],
  ['a file twice', ['f', 'origin.json', 0, '1', '1', 0, 0, []]],
];

test.each(hostile)('a listing with %s is refused, and nothing is written', async (_, line) => {
  await backUp();
  const { backups, home } = place();
  forge(({ origins }) => origins[0]?.listing.push(plant([line])));
  const root = path.join(home, 'inner', 'root');
  await expect(StorageHost.restore({ from: backups, root, ...encrypted })).rejects.toMatchObject({ name: 'HoldfastError' });
  expect(fs.readdirSync(path.join(root, 'origins'))).toEqual([]);
  expect(fs.readdirSync(path.join(root, 'new'))).toEqual([]);
  expect(fs.readdirSync(home).sort()).toEqual(['backups', 'inner', 'root']);
});

test('an origin whose name is a path stays below the root', async () => {
  await backUp();
  const { backups, home } = place();
  forge(({ origins }) => origins.forEach((each) => (each.origin = '../../../stolen')));
  const root = path.join(home, 'inner', 'root');
  await StorageHost.restore({ from: backups, root, ...encrypted });
  expect(fs.readdirSync(path.join(root, 'origins'))).toHaveLength(1);
  expect(fs.readdirSync(home).sort()).toEqual(['backups', 'inner', 'root']);
});

test('a backup, or a repository, of a newer version is refused', async () => {
  await backUp();
  const { backups, home, host } = place();
  forge((manifest) => (manifest.format = 2));
  await expect(StorageHost.restore({ from: backups, root: path.join(home, 'restored'), ...encrypted })).rejects.toMatchObject({ code: 'backup-unusable' });
  fs.writeFileSync(path.join(backups, 'holdfast-backups.json'), '{"format":2}');
  await expect(host().backup(backups)).rejects.toMatchObject({ code: 'backup-unusable', message: expect.stringContaining('newer') as string });
});

test('paths that lead elsewhere are told from those that do not', () => {
  for (const bad of ['', '.', '..', '/a', 'a/', 'a//b', 'a/../b', './a', 'a\\b', 'c:/a', 'C:a', 'a\0b']) expect(isSafePath(bad)).toBe(false);
  for (const good of ['a', 'a/b', 'a..b/c', '%~x', 'a b', '...']) expect(isSafePath(good)).toBe(true);
});
