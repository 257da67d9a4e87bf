import fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted, isEncrypted } from '../support/sealed.ts';
import { origin, places, read, write } from './support.ts';

const place = places();

/** Makes all that a root holds look as if it were written an hour ago: what is fresh is always read again. */
function age(directory: string): void {
  const then = Date.now() / 1000 - 3600;
  for (const entry of fs.readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) fs.utimesSync(path.join(entry.parentPath, entry.name), then, then);
  }
}

test('of a root in which one of a hundred files changed, one is read', async () => {
  const { root, backups, host, home } = place();
  const client = host().origin(origin);
  for (let index = 0; index < 100; index += 1) await write(client, `file ${index}`, `${index} `.repeat(5000));
  client.localStorage.setItem('name', 'value');
  age(root);
  const first = await host().backup(backups);
  // Of an encrypted origin its keys, too, and its table of locks, empty but encrypted.
  expect(first.read.files).toBe(isEncrypted ? 104 : 102);
  await write(client, 'file 7', 'changed');
  const second = await host().backup(backups);
  // The new file, of which the disk's clock may have more to tell.
  expect(second.read).toEqual({ files: 1, bytes: isEncrypted ? (expect.any(Number) as number) : 7 });
  expect(second).toMatchObject({ files: first.files, problems: [] });
  age(root);
  await host().backup(backups);
  const opened = vi.spyOn(fs, 'openSync');
  const linked = vi.spyOn(fs, 'linkSync');
  const later = vi.spyOn(fs.promises, 'open');
  const whole = vi.spyOn(fs.promises, 'readFile');
  const fourth = await host().backup(backups);
  const inOrigins = (spy: { mock: { calls: unknown[][] } }): unknown[] => spy.mock.calls.filter(([file]) => String(file).includes(`${path.sep}origins${path.sep}`) && !/locks|\/keys$/.test(String(file)));
  expect([opened, linked, later, whole].flatMap(inOrigins)).toEqual([]);
  vi.restoreAllMocks();
  expect(fourth).toMatchObject({ read: { files: 0, bytes: 0 }, stored: { chunks: 0, bytes: 0 } });
  await StorageHost.restore({ from: backups, root: path.join(home, 'restored'), ...encrypted });
  const again = host(path.join(home, 'restored')).origin(origin);
  expect(await read(again, 'file 7')).toBe('changed');
  expect(await read(again, 'file 99')).toBe('99 '.repeat(5000));
});

// It is put there by its name, plain.
test.skipIf(isEncrypted)('a file that is written to in the tick of a backup is read again by the next one', async () => {
  const { root, backups, host, home } = place();
  const client = host().origin(origin);
  await write(client, 'name', 'before');
  const file = path.join(root, 'origins/https_app.example/default/files.0/name');
  const stats = fs.statSync(file);
  await host().backup(backups);
  fs.writeFileSync(file, 'behind');
  fs.utimesSync(file, stats.atime, stats.mtime);
  await host().backup(backups);
  await StorageHost.restore({ from: backups, root: path.join(home, 'restored'), ...encrypted });
  expect(await read(host(path.join(home, 'restored')).origin(origin), 'name')).toBe('behind');
});

test('a journal that went on is taken as it is now', async () => {
  const { backups, host, home, root } = place();
  const client = host().origin(origin);
  client.localStorage.setItem('name', '1');
  age(root);
  await host().backup(backups);
  client.localStorage.setItem('name', '2');
  const second = await host().backup(backups);
  expect(second.read.files).toBe(1);
  await StorageHost.restore({ from: backups, root: path.join(home, 'restored'), ...encrypted });
  expect(host(path.join(home, 'restored')).origin(origin).localStorage.getItem('name')).toBe('2');
});

test('what the repository has lost is stored again', async () => {
  const { root, backups, host, home } = place();
  const client = host().origin(origin);
  await write(client, 'name', 'content');
  age(root);
  await host().backup(backups);
  fs.rmSync(path.join(backups, 'chunks'), { recursive: true });
  const again = await host().backup(backups);
  expect(again.read.files).toBeGreaterThan(0);
  await StorageHost.restore({ from: backups, root: path.join(home, 'restored'), ...encrypted });
  expect(await read(host(path.join(home, 'restored')).origin(origin), 'name')).toBe('content');
});

test('a file that a handle writes to in place is copied as it was at one moment, and goes on', async () => {
  const { backups, host, home } = place();
  const client = host().origin(origin);
  const handle = await (await client.storage.getDirectory()).getFileHandle('database', { create: true });
  const access = await handle.createSyncAccessHandle();
  access.write(Buffer.from('in place'));
  const made = await host().backup(backups);
  expect(made.problems).toEqual([]);
  access.write(Buffer.from('IN PLACE'), { at: 0 });
  await host().backup(backups);
  access.close();
  await StorageHost.restore({ from: backups, root: path.join(home, 'first'), at: made.time, ...encrypted });
  await StorageHost.restore({ from: backups, root: path.join(home, 'last'), ...encrypted });
  expect(await read(host(path.join(home, 'first')).origin(origin), 'database')).toBe('in place');
  expect(await read(host(path.join(home, 'last')).origin(origin), 'database')).toBe('IN PLACE');
});

test('a handle that is opened while a backup reads the file does not change what is read', async () => {
  const { backups, host, home } = place();
  const client = host().origin(origin);
  await write(client, 'name', 'x'.repeat(200_000));
  const { open } = fs.promises;
  let opened = false;
  vi.spyOn(fs.promises, 'open').mockImplementation(async (...args) => {
    if (!opened && String(args[0]).includes(`${path.sep}new${path.sep}`) && args[1] === 'r') {
      opened = true;
      const handle = await (await client.storage.getDirectory()).getFileHandle('name');
      const access = await handle.createSyncAccessHandle();
      access.write(Buffer.from('y'.repeat(200_000)), { at: 0 });
      access.close();
    }
    return await open(...args);
  });
  await host().backup(backups);
  vi.restoreAllMocks();
  expect(opened).toBe(true);
  expect(await read(client, 'name')).toBe('y'.repeat(200_000));
  await StorageHost.restore({ from: backups, root: path.join(home, 'restored'), ...encrypted });
  expect(await read(host(path.join(home, 'restored')).origin(origin), 'name')).toBe('x'.repeat(200_000));
});
