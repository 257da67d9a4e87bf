import fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted, isEncrypted } from '../support/sealed.ts';
import { contentsOf, namesOf, origin, places, read, write } from './support.ts';

const place = places();
const other = 'https://other.example';

test('a client that has the origin open goes on with what was restored, and its handles end with an error', async () => {
  const { root, backups, host } = place();
  const client = host().origin(origin);
  client.localStorage.setItem('name', 'before');
  await write(client, 'file', 'before');
  const { time } = await host().backup(backups);
  client.localStorage.setItem('name', 'after');
  await write(client, 'file', 'after');
  await write(client, 'new', 'after');
  const directory = await client.storage.getDirectory();
  const access = await (await directory.getFileHandle('file')).createSyncAccessHandle();
  const writable = await (await directory.getFileHandle('new')).createWritable();
  await writable.write('never');
  const held = client.locks.request('lock', () => new Promise(() => {})).catch((error: unknown) => error);
  await expect.poll(async () => (await client.locks.query()).held?.length).toBe(1);

  await StorageHost.restore({ from: backups, root, at: time, origin, replace: true, ...encrypted });
  await expect.poll(() => client.localStorage.getItem('name'), { interval: 10 }).toBe('before');
  expect(await held).toMatchObject({ name: 'AbortError' });
  await expect(writable.close()).rejects.toBeDefined();
  expect(() => access.write(Buffer.from('late'))).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
  expect(await namesOf(client)).toEqual(['file']);
  expect(await read(client, 'file')).toBe('before');
  await write(client, 'file', 'anew');
  expect(await read(host().origin(origin), 'file')).toBe('anew');
  expect(fs.readdirSync(path.join(root, 'new'))).toEqual([]);
});

test('an origin comes back beside the present one, under another name', async () => {
  const { root, backups, host } = place();
  const client = host().origin(origin);
  client.localStorage.setItem('name', 'before');
  await host().backup(backups);
  client.localStorage.setItem('name', 'after');
  const restored = await StorageHost.restore({ from: backups, root, origin, as: 'https://old.example', ...encrypted });
  expect(restored.origins).toEqual(['https://old.example']);
  expect(client.localStorage.getItem('name')).toBe('after');
  expect(host().origin('https://old.example').localStorage.getItem('name')).toBe('before');
});

test('a root comes back in place of the present one, and has no other origins', async () => {
  const { root, backups, host } = place();
  host().origin(origin).localStorage.setItem('name', 'before');
  await host().backup(backups);
  host().origin(origin).localStorage.setItem('name', 'after');
  host().origin(other).localStorage.setItem('name', 'after');
  await StorageHost.restore({ from: backups, root, replace: true, ...encrypted });
  expect(host().origin(origin).localStorage.getItem('name')).toBe('before');
  expect(fs.readdirSync(path.join(root, 'origins'))).toEqual(['https_app.example']);
});

test('the last backup that was begun by a time is taken', async () => {
  const { backups, host, home } = place();
  const client = host().origin(origin);
  const times: Date[] = [];
  for (const value of ['1', '2', '3']) {
    client.localStorage.setItem('name', value);
    times.push((await host().backup(backups)).time);
  }
  for (const [index, time] of times.entries()) {
    const root = path.join(home, `restored ${index}`);
    await StorageHost.restore({ from: backups, root, at: time.toISOString(), ...encrypted });
    expect(host(root).origin(origin).localStorage.getItem('name')).toBe(String(index + 1));
  }
  const before = StorageHost.restore({ from: backups, root: path.join(home, 'none'), at: 0, ...encrypted });
  await expect(before).rejects.toMatchObject({ code: 'backup-missing' });
});

test('what cannot be done changes nothing', async () => {
  const { root, backups, host, home } = place();
  host().origin(origin).localStorage.setItem('name', 'value');
  await host().backup(backups);
  const [before, repository] = [contentsOf(root), contentsOf(backups)];
  const wanted = { from: backups, root };
  await expect(StorageHost.restore(wanted)).rejects.toMatchObject({ code: 'origin-exists' });
  await expect(StorageHost.restore({ ...wanted, origin, ...encrypted })).rejects.toMatchObject({ code: 'origin-exists' });
  await expect(StorageHost.restore({ ...wanted, origin: other, ...encrypted })).rejects.toMatchObject({ code: 'backup-missing' });
  await expect(StorageHost.restore({ ...wanted, as: other, ...encrypted })).rejects.toMatchObject({ code: 'bad-option' });
  await expect(StorageHost.restore({ ...wanted, at: 'yesterday', ...encrypted })).rejects.toMatchObject({ code: 'bad-option' });
  await expect(StorageHost.restore({ ...wanted, from: home, ...encrypted })).rejects.toMatchObject({ code: 'backup-unusable' });
  await expect(StorageHost.restore({ ...wanted, from: path.join(home, 'nowhere'), ...encrypted })).rejects.toMatchObject({ code: 'backup-unusable' });
  await expect(host().backup(backups, { origins: [other] })).rejects.toMatchObject({ code: 'origin-missing' });
  await expect(host().backup(backups, { keep: '3x' })).rejects.toMatchObject({ code: 'bad-option' });
  await expect(host().backup(path.join(root, 'backups'))).rejects.toMatchObject({ code: 'bad-option' });
  await expect(host().backup(home)).rejects.toMatchObject({ code: 'bad-option' });
  await expect(host(path.join(home, 'no root')).backup(backups)).rejects.toMatchObject({ code: 'root-unusable' });
  expect(contentsOf(root)).toEqual(before);
  expect(contentsOf(backups)).toEqual(repository);
});

test('a directory of somebody else does not become a repository', async () => {
  const { host, home } = place();
  host().origin(origin).localStorage.setItem('name', 'value');
  const foreign = path.join(home, 'foreign');
  fs.mkdirSync(foreign);
  fs.writeFileSync(path.join(foreign, 'letter'), 'dear');
  await expect(host().backup(foreign)).rejects.toMatchObject({ code: 'backup-unusable' });
  expect(fs.readdirSync(foreign)).toEqual(['letter']);
});

test('a backup that is ended by its signal leaves none, and the next one goes on', async () => {
  const { backups, host } = place();
  for (const each of [origin, other]) host().origin(each).localStorage.setItem('name', 'value');
  const ending = new AbortController();
  const reason = new Error('enough');
  const onProgress = ({ done }: { done: number }): void => (done === 1 ? ending.abort(reason) : undefined);
  await expect(host().backup(backups, { signal: ending.signal, onProgress })).rejects.toBe(reason);
  expect(fs.readdirSync(path.join(backups, 'backups'))).toEqual([]);
  expect(await host().backup(backups)).toMatchObject({ origins: 2 });
});

test('two backups into one repository do not run at once', async () => {
  const { backups, host } = place();
  host().origin(origin).localStorage.setItem('name', 'value');
  let second: Promise<unknown> | undefined;
  const onProgress = (): void => void (second ??= host().backup(backups).catch((error: unknown) => error));
  await host().backup(backups, { onProgress });
  expect(await second).toMatchObject({ code: 'backup-busy' });
});

test('a full disk ends a restore, and the root is as it was', async () => {
  const { root, backups, host } = place();
  const client = host().origin(origin);
  await write(client, 'file', 'before');
  await host().backup(backups);
  await write(client, 'file', 'after');
  const { writeSync } = fs;
  vi.spyOn(fs, 'writeSync').mockImplementation(((...args: Parameters<typeof writeSync>) => {
    const [descriptor] = args;
    const target = fs.readlinkSync(`/proc/self/fd/${descriptor}`);
    if (target.includes(`${path.sep}files.0${path.sep}${isEncrypted ? '' : 'file'}`)) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
    return writeSync(...args);
  }) as typeof writeSync);
  const failing = StorageHost.restore({ from: backups, root, replace: true, ...encrypted });
  await expect(failing).rejects.toMatchObject({ code: 'disk-full' });
  vi.restoreAllMocks();
  expect(await read(client, 'file')).toBe('after');
  expect(fs.readdirSync(path.join(root, 'new'))).toEqual([]);
});
