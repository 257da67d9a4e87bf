import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { StorageClient } from '../../src/host/storage-client.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import type { StorageEvent } from '../../src/web-storage/storage-event.ts';
import { onWarning } from '../../src/runtime/warning.ts';

/*
 * A root, an origin or a bucket that is removed or replaced while hosts use it. Each host stands for a process: hosts
 * share nothing but the disk.
 */
const origin = 'https://app.example';

let home: string;
let root: string;
let hosts: StorageHost[];
let warned: string[];
let endWarnings: () => void;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-replaced-'));
  root = path.join(home, 'root');
  hosts = [];
  warned = [];
  endWarnings = onWarning(({ code }) => warned.push(code));
});

afterEach(async () => {
  endWarnings();
  await Promise.all(hosts.map((host) => host.close()));
  fs.rmSync(home, { recursive: true, force: true });
});

function client(options: { quota?: number; durability?: 'strict' } = {}): StorageClient {
  const host = new StorageHost({ root, ...options });
  hosts.push(host);
  return host.origin(origin);
}

const backUp = (): void => fs.cpSync(root, path.join(home, 'backup'), { recursive: true });

/** As an administrator would. */
function restore(part = ''): void {
  fs.rmSync(path.join(root, part), { recursive: true });
  fs.cpSync(path.join(home, 'backup', part), path.join(root, part), { recursive: true });
}

const forEver = (): Promise<never> => new Promise(() => {});

/** Writes until what is written is what others see. */
async function writesArrive(writer: StorageClient): Promise<void> {
  let count = 0;
  const reader = client();
  await expect
    .poll(
      () => {
        writer.localStorage.setItem('count', String(++count));
        return reader.localStorage.getItem('count') === String(count);
      },
      { interval: 10 },
    )
    .toBe(true);
}

const parts = ['', 'origins', 'origins/https_app.example', 'origins/https_app.example/default', 'origins/https_app.example/default/local-storage'];

describe('localStorage', () => {
  test.each(parts)("goes on with what is there when a backup takes the place of '%s'", async (part) => {
    const one = client();
    one.localStorage.setItem('kept', 'before');
    backUp();
    one.localStorage.setItem('dropped', 'after');
    restore(part);
    await writesArrive(one);
    expect(one.localStorage.getItem('dropped')).toBeNull();
    expect({ ...one.localStorage }).toEqual({ ...client().localStorage });
    expect(warned).toContain('journal-replaced');
  });

  test.each(parts.slice(0, 4))("begins anew when '%s' is removed", async (part) => {
    const one = client({ quota: 1000, durability: 'strict' });
    one.localStorage.setItem('dropped', 'before');
    fs.rmSync(path.join(root, part), { recursive: true });
    await expect.poll(() => one.localStorage.getItem('dropped'), { interval: 10 }).toBeNull();
    one.localStorage.setItem('name', 'value');
    const other = client();
    expect({ ...other.localStorage }).toEqual({ name: 'value' });
    // What the host wants of its buckets holds for the new one.
    expect(() => other.localStorage.setItem('large', 'x'.repeat(1000))).toThrow(expect.objectContaining({ name: 'QuotaExceededError' }));
  });

  test('tells each key that is another, once', async () => {
    const writer = client();
    for (const key of ['same', 'changed', 'removed']) writer.localStorage.setItem(key, 'old');
    backUp();
    writer.localStorage.removeItem('removed');
    for (const value of ['1', '2', 'new']) writer.localStorage.setItem('changed', value);
    writer.localStorage.setItem('added', 'new');
    const listener = client();
    const told: unknown[] = [];
    listener.addEventListener('storage', (event) => {
      const { key, oldValue, newValue } = event as StorageEvent;
      told.push([key, oldValue, newValue]);
    });
    restore();
    await expect.poll(() => told.length).toBe(3);
    expect(told).toEqual(
      expect.arrayContaining([
        ['changed', 'new', 'old'],
        ['removed', null, 'old'],
        ['added', 'new', null],
      ]),
    );
    // The new one is watched as the old one was.
    client().localStorage.setItem('later', 'value');
    await expect.poll(() => told.at(-1)).toEqual(['later', null, 'value']);
  });

  test('reads a journal that was cut back in place', async () => {
    const [reader, writer] = [client(), client()];
    writer.localStorage.setItem('name', 'old');
    const journal = path.join(root, 'origins/https_app.example/default/local-storage/0');
    const { size } = fs.statSync(journal);
    writer.localStorage.setItem('name', 'new');
    writer.localStorage.setItem('pad', 'x'.repeat(300));
    expect(reader.localStorage.length).toBe(2);
    fs.truncateSync(journal, size);
    for (let index = 0; index < 9; index += 1) writer.localStorage.setItem(`key ${index}`, 'v'.repeat(40));
    const expected = { ...client().localStorage };
    expect(Object.keys(expected)).toHaveLength(10);
    await expect.poll(() => ({ ...reader.localStorage }), { interval: 10 }).toEqual(expected);
    expect({ ...writer.localStorage }).toEqual(expected);
  });
});

describe('locks', () => {
  test.each(parts.slice(0, 4))("of a bucket whose '%s' was restored are lost, and others get them", async (part) => {
    const one = client();
    await one.locks.request('before', () => undefined);
    backUp();
    const held = forEver();
    const lost = one.locks.request('lock', () => held);
    await expect.poll(async () => (await one.locks.query()).held?.length).toBe(1);
    restore(part);
    await expect(lost).rejects.toMatchObject({ name: 'AbortError' });
    expect(await client().locks.request('lock', { ifAvailable: true }, (lock) => lock?.name)).toBe('lock');
    expect(await one.locks.request('lock', { ifAvailable: true }, (lock) => lock?.name)).toBe('lock');
  });

  test('that a backup holds for a session of before are free', async () => {
    const one = client();
    const held = forEver();
    const lost = one.locks.request('lock', () => held);
    await expect.poll(async () => (await one.locks.query()).held?.length).toBe(1);
    backUp();
    restore();
    await expect(lost).rejects.toMatchObject({ name: 'AbortError' });
    await expect.poll(() => client().locks.request('lock', { ifAvailable: true }, (lock) => lock?.name)).toBe('lock');
  });

  test('of a bucket that was removed are lost', async () => {
    const one = client();
    const held = forEver();
    const lost = one.locks.request('lock', () => held);
    await expect.poll(async () => (await one.locks.query()).held?.length).toBe(1);
    fs.rmSync(root, { recursive: true });
    await expect(lost).rejects.toMatchObject({ name: 'AbortError' });
    expect(await one.locks.request('lock', { ifAvailable: true }, (lock) => lock?.name)).toBe('lock');
  });
});

describe('files', () => {
  test('are those that are there', async () => {
    const one = client();
    const directory = await one.storage.getDirectory();
    const write = async (name: string): Promise<void> => {
      const stream = await (await directory.getFileHandle(name, { create: true })).createWritable();
      await stream.write(name);
      await stream.close();
    };
    await write('kept');
    backUp();
    await write('dropped');
    restore();
    const names = async (of: StorageClient): Promise<string[]> => {
      const found: string[] = [];
      for await (const name of (await of.storage.getDirectory()).keys()) found.push(name);
      return found;
    };
    await expect.poll(() => write('after').then(() => names(client()))).toEqual(expect.arrayContaining(['kept', 'after']));
    expect((await names(one)).sort()).toEqual((await names(client())).sort());
    expect(await names(one)).not.toContain('dropped');
  });

  test('that are open lose their locks', async () => {
    const one = client();
    const file = await (await one.storage.getDirectory()).getFileHandle('file', { create: true });
    const access = await file.createSyncAccessHandle();
    access.write(new Uint8Array(1));
    backUp();
    restore();
    await expect.poll(() => {
      try {
        access.write(new Uint8Array(1));
        return 'written';
      } catch (error) {
        return (error as Error).name;
      }
    }).toBe('InvalidStateError');
    const other = await (await client().storage.getDirectory()).getFileHandle('file');
    (await other.createSyncAccessHandle()).close();
  });
});
