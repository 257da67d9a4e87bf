import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LockTable } from '../../src/disk/locks/table.ts';
import { BucketDirectory } from '../../src/disk/root/bucket-directory.ts';
import { Root } from '../../src/disk/root/root.ts';
import { StorageHost } from '../../src/host/storage-host.ts';

/*
 * A symbolic link has the name of something in a bucket: a backup was restored with one, or somebody wants another's data
 * read or changed. Whatever is then done with the bucket may fail, but follows no link: nothing outside is opened, listed,
 * copied or changed.
 */

const ORIGIN = 'https://app.example';
const [bell, gone] = ['0d3f1a52-7b6e-4c1d-9a8f-2e5b7c4d6f10', '1e4f2b63-8c7f-4d2e-8b90-3f6c8d5e7a21'];

let home: string;
let bucket: string;
let outside: string;
let seen: string[];

beforeEach(async () => {
  home = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-links-')));
  outside = path.join(home, 'outside');
  fs.mkdirSync(outside);
  bucket = path.join(home, 'root', 'origins', 'https_app.example', 'default');
  seen = [];
  await useOnce();
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(home, { recursive: true, force: true });
});

const place = (): BucketDirectory => new BucketDirectory(new Root(path.join(home, 'root'), 'relaxed'), ORIGIN, 'default');

/** Leaves a bucket with something under each of its names, and nobody at work in it. */
async function useOnce(): Promise<void> {
  const draft = path.join(home, 'draft');
  const host = new StorageHost({ root: draft });
  const { localStorage, storage } = host.origin(ORIGIN);
  localStorage.setItem('key', 'value');
  const directory = await storage.getDirectory();
  const writable = await (await directory.getFileHandle('f', { create: true })).createWritable();
  await writable.write('x'.repeat(100_000));
  await writable.close();
  await host.close();
  fs.renameSync(draft, path.join(home, 'root'));
  for (const name of [bell, gone]) {
    fs.writeFileSync(path.join(bucket, 'wake', name), '');
    fs.writeFileSync(path.join(bucket, 'wake', `${name}.lease`), '');
    fs.mkdirSync(path.join(bucket, 'swap', name));
    fs.writeFileSync(path.join(bucket, 'swap', name, '1-x'), 'swapped');
    fs.mkdirSync(path.join(bucket, 'trash', `${name}.1-x`));
    fs.writeFileSync(path.join(bucket, 'trash', `${name}.1-x`, 'f'), 'removed');
  }
}

const quietly = async (body: () => unknown): Promise<void> => {
  try {
    await body();
  } catch {
    // What it says is the business of other tests.
  }
};

/** `values` of 100 kB: a dozen of them make the map's journal move on. */
async function useAll(durability: 'relaxed' | 'strict', values: number): Promise<void> {
  const host = new StorageHost({ root: path.join(home, 'root'), durability });
  const client = host.origin(ORIGIN);
  const { locks, storage } = client;
  await quietly(() => client.localStorage.getItem('key'));
  for (let index = 0; index < values; index += 1) await quietly(() => client.localStorage.setItem('key', `${index}`.padEnd(100_000)));
  await quietly(() => locks.request('lock', () => undefined));
  await quietly(() => locks.query());
  await quietly(async () => useFiles(await storage.getDirectory()));
  await quietly(() => storage.estimate());
  await quietly(() => host.close());
}

async function useFiles(root: FileSystemDirectoryHandle): Promise<void> {
  await quietly(async () => {
    for await (const [, handle] of root.entries()) if (handle.kind === 'file') await (await handle.getFile()).text();
  });
  const names = ['f', 'new'];
  for (const name of names) {
    await quietly(async () => {
      const file = await root.getFileHandle(name, { create: true });
      const writable = await file.createWritable({ keepExistingData: true });
      await writable.write('y');
      await writable.close();
      const access = await file.createSyncAccessHandle();
      access.write(new Uint8Array(10), { at: 5 });
      access.close();
    });
  }
  await quietly(async () => {
    const directory = await root.getDirectoryHandle('d', { create: true });
    await directory.getFileHandle('f', { create: true });
    await root.removeEntry('d', { recursive: true });
  });
  for (const name of names) await quietly(() => root.removeEntry(name));
}

/** One session's lease ends while it writes in place, another rings for one that is gone. */
async function fence(): Promise<void> {
  const options = { leaseMs: 30, probe: () => 'unknown' as const };
  const [victim, other] = [new LockTable(place(), { ...options, leaseMs: 600_000 }), new LockTable(place(), options)];
  await quietly(() => victim.lockFile(['f'], 'exclusive'));
  await quietly(() => victim.operate({ operation: 'remove', kind: 'file', source: ['g'] }, () => ({ changed: false, value: 0 })));
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await quietly(() => other.lockFile(['f'], 'exclusive'));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await quietly(() => other.epoch());
  await quietly(() => other.sweep());
  await victim.close();
  await other.close();
}

function state(): string {
  const list = execFileSync('find', ['.', '-printf', '%P %y %i %m %s %T@ %l\n'], { cwd: outside }).toString();
  const sums = execFileSync('find', ['.', '-type', 'f', '-exec', 'cksum', '{}', '+'], { cwd: outside }).toString();
  return list + sums;
}

function note(call: string, at: string): void {
  if (at === outside || at.startsWith(`${outside}/`)) seen.push(`${call} ${at}`);
}

const realPathOf = (at: unknown): string => {
  try {
    return fs.realpathSync.native(String(at));
  } catch {
    return '';
  }
};

/** Notes what is opened, listed or copied outside. */
function watchReads(): void {
  const opened = (call: string, descriptor: number): number => {
    note(call, fs.readlinkSync(`/proc/self/fd/${descriptor}`));
    return descriptor;
  };
  const { openSync, promises } = fs;
  const { open } = promises;
  vi.spyOn(fs, 'openSync').mockImplementation((...args) => opened('openSync', Reflect.apply(openSync, fs, args)));
  vi.spyOn(promises, 'open').mockImplementation(async (...args) => {
    const handle = await Reflect.apply(open, promises, args);
    opened('open', handle.fd);
    return handle;
  });
  for (const name of ['readdirSync', 'opendirSync', 'copyFileSync', 'readFileSync', 'truncateSync', 'utimesSync', 'chmodSync'] as const) watchPaths(fs, name);
  for (const name of ['readdir', 'opendir', 'copyFile', 'readFile', 'chmod'] as const) watchPaths(promises, name);
}

function watchPaths<T extends object>(holder: T, name: keyof T & string): void {
  const original = holder[name] as (...args: unknown[]) => unknown;
  const watched = (...args: unknown[]): unknown => {
    if (typeof args[0] === 'string') note(name, realPathOf(args[0]));
    return Reflect.apply(original, holder, args);
  };
  vi.spyOn(holder as Record<string, (...args: unknown[]) => unknown>, name).mockImplementation(watched);
}

/** Every name in a bucket, and some that are not there yet. */
const names = [
  'local-storage', 'local-storage/0', 'local-storage/cand',
  'locks', 'locks/0', 'locks/cand',
  'quota', 'quota/0', 'quota/cand',
  'files.0', 'files.0/f', 'files.1',
  'swap', `swap/${gone}`, 'trash', `trash/${gone}.1-x`, 'wake', `wake/${bell}`, `wake/${bell}.lease`,
  'files-sync', 'indexeddb',
];

const links: Record<string, (at: string) => void> = {
  'what it was': (at) => {
    const target = path.join(outside, 'target');
    if (fs.existsSync(at)) fs.renameSync(at, target);
    else fs.mkdirSync(target);
    // Beside it there is more, of the spelling of what is swept.
    if (fs.statSync(target).isDirectory()) for (const name of [`${gone}.lease`, `${gone}.2-y`]) fs.writeFileSync(path.join(target, name), 'theirs');
    fs.symlinkSync(target, at);
  },
  'nothing': (at) => {
    fs.rmSync(at, { recursive: true, force: true });
    fs.symlinkSync(path.join(outside, 'nothing'), at);
  },
};

describe.skipIf(process.platform !== 'linux').each(Object.entries(links))('a link to %s', (_, plant) => {
  test.each(names)('in place of %s is not followed', async (name) => {
    plant(path.join(bucket, name));
    const before = state();
    watchReads();
    await useAll('relaxed', 12);
    await fence();
    await useAll('strict', 1);
    // What is deleted in the background.
    await new Promise((resolve) => setTimeout(resolve, 30));
    vi.restoreAllMocks();
    expect(seen).toEqual([]);
    expect(state()).toBe(before);
  });
});

describe.skipIf(process.platform !== 'linux').each([['bucket', ''], ['origin', '..']])('a link in place of the directory of the %s', (_, above) => {
  test.each(Object.entries(links))('to %s is refused before anything is read or written', async (_kind, plant) => {
    const directory = path.join(bucket, above);
    plant(directory);
    const before = state();
    watchReads();
    await useAll('relaxed', 2);
    await fence();
    await useAll('strict', 1);
    await listen();
    vi.restoreAllMocks();
    expect(seen).toEqual([]);
    expect(state()).toBe(before);
    const host = new StorageHost({ root: path.join(home, 'root') });
    const message = `${directory} is a symbolic link, which is not followed.`;
    expect(() => host.origin(ORIGIN).localStorage.getItem('key')).toThrow(message);
    await expect(host.origin(ORIGIN).locks.request('lock', () => undefined)).rejects.toThrow(message);
    await expect(host.origin(ORIGIN).storage.getDirectory().then((root) => root.getFileHandle('f'))).rejects.toThrow(message);
    await host.close();
  });

  test('that comes while a program runs is refused when what was there has gone', async () => {
    const host = new StorageHost({ root: path.join(home, 'root') });
    const { localStorage, locks } = host.origin(ORIGIN);
    localStorage.setItem('key', 'mine');
    await locks.request('lock', () => undefined);
    // What a start clears away, it does in a turn of its own.
    await new Promise((resolve) => setTimeout(resolve, 30));
    const theirs = path.join(outside, 'theirs');
    fs.cpSync(path.join(bucket, above), theirs, { recursive: true });
    fs.rmSync(path.join(bucket, above), { recursive: true });
    fs.symlinkSync(theirs, path.join(bucket, above));
    const before = state();
    // The bound within which a replaced root is noticed.
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(() => localStorage.setItem('key', 'more')).toThrow('is a symbolic link');
    expect(() => localStorage.getItem('key')).toThrow('is a symbolic link');
    await expect(locks.request('lock', () => undefined)).rejects.toThrow('is a symbolic link');
    await host.close();
    expect(state()).toBe(before);
  });
});

/** Somebody only wants to hear of changes. */
async function listen(): Promise<void> {
  const host = new StorageHost({ root: path.join(home, 'root') });
  await quietly(() => host.client(ORIGIN).addEventListener('storage', () => undefined));
  await quietly(() => host.close());
}

test.skipIf(process.platform !== 'linux')('a link in place of the root is followed: that is for its operator to say', async () => {
  fs.renameSync(path.join(home, 'root'), path.join(outside, 'root'));
  fs.symlinkSync(path.join(outside, 'root'), path.join(home, 'root'));
  const host = new StorageHost({ root: path.join(home, 'root') });
  expect(host.origin(ORIGIN).localStorage.getItem('key')).toBe('value');
  await host.close();
});

test.skipIf(process.platform !== 'linux')('without a link, all of it is used', async () => {
  fs.renameSync(path.join(home, 'root'), path.join(outside, 'root'));
  fs.symlinkSync(path.join(outside, 'root'), path.join(home, 'root'));
  const before = state();
  watchReads();
  await useAll('relaxed', 12);
  await fence();
  await vi.waitFor(() => expect(fs.readdirSync(path.join(bucket, 'trash'))).toEqual([]), { timeout: 30_000 });
  vi.restoreAllMocks();
  for (const name of ['local-storage/', 'locks/', 'quota/', 'files.', 'swap/', 'trash/', 'wake/']) {
    expect(seen.filter((each) => each.includes(`/default/${name}`) || each.endsWith(`/default/${name.slice(0, -1)}`))).not.toEqual([]);
  }
  expect(state()).not.toBe(before);
});
