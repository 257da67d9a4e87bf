import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { StorageClient } from '../../src/host/storage-client.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { bundleFixture } from '../support/bundle.ts';

const origin = 'https://app.example';
let home: string;
let root: string;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-read-only-'));
  root = path.join(home, 'root');
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(home, { recursive: true, force: true });
});

const readOnly = (): never => {
  throw Object.assign(new Error('EROFS: read-only file system, pretended'), { code: 'EROFS', syscall: 'open' });
};

/** As on a file system that is mounted for reading only; root's own rights do not matter there. */
function mountReadOnly(): void {
  const { openSync } = fs;
  vi.spyOn(fs, 'openSync').mockImplementation((file, flags, mode) => {
    const writes = typeof flags === 'number' ? (flags & (fs.constants.O_WRONLY | fs.constants.O_RDWR | fs.constants.O_CREAT)) !== 0 : /[aw+]/.test(flags ?? 'r');
    return writes ? readOnly() : openSync(file, flags, mode);
  });
  for (const name of ['mkdirSync', 'linkSync', 'renameSync', 'unlinkSync', 'writeFileSync', 'rmSync', 'utimesSync'] as const) vi.spyOn(fs, name).mockImplementation(readOnly);
  vi.spyOn(fs.promises, 'writeFile').mockImplementation(readOnly);
}

async function makeRoot(): Promise<void> {
  const host = new StorageHost({ root });
  const client = host.origin(origin);
  client.localStorage.setItem('name', 'value');
  const stream = await (await (await client.storage.getDirectory()).getFileHandle('file', { create: true })).createWritable();
  await stream.write('content');
  await stream.close();
  await host.close();
}

async function reads(client: StorageClient): Promise<unknown> {
  const directory = await client.storage.getDirectory();
  const names: string[] = [];
  for await (const name of directory.keys()) names.push(name);
  const file = await (await directory.getFileHandle('file')).getFile();
  const { usage } = await client.storage.estimate();
  return { value: client.localStorage.getItem('name'), names, text: await file.text(), usage, persisted: await client.storage.persisted() };
}

const expected = { value: 'value', names: ['file'], text: 'content', usage: 4096 + 25, persisted: false };

test('a root that was made before is readable where nothing can be written', async () => {
  await makeRoot();
  mountReadOnly();
  const host = new StorageHost({ root });
  expect(await reads(host.origin(origin))).toEqual(expected);
  expect(await host.origin(origin).storage.persist()).toBe(false);
  expect(() => host.origin(origin).localStorage.setItem('name', 'other')).toThrow(
    expect.objectContaining({ name: 'QuotaExceededError', message: expect.stringMatching(/read-only.*HOLDFAST_ROOT/), cause: expect.objectContaining({ code: 'root-read-only' }) }),
  );
  await host.close();
});

test('a root that cannot be made says why, and what to do; persist() is false', async () => {
  mountReadOnly();
  const host = new StorageHost({ root });
  const client = host.origin(origin);
  expect(client.localStorage.getItem('name')).toBeNull();
  expect(() => client.localStorage.setItem('name', 'value')).toThrow(/read-only.*HOLDFAST_ROOT/);
  expect(await client.storage.persist()).toBe(false);
  await host.close();
});

/** Whether this process may mount. */
function mayMount(): boolean {
  try {
    execFileSync('unshare', ['-m', 'true'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

test.skipIf(!mayMount())('a real read-only mount reads the same', async () => {
  await makeRoot();
  const fixture = await bundleFixture(new URL('./read-only-fixture.ts', import.meta.url));
  const script = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" "$3" "$1"';
  const out = execFileSync('unshare', ['-m', 'sh', '-c', script, 'sh', root, process.execPath, fixture], { encoding: 'utf8' });
  expect(JSON.parse(out)).toEqual({ value: 'value', text: 'content', usage: 4096 + 25, persist: false, error: 'root-read-only' });
});
