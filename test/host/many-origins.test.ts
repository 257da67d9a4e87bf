import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { atEnd, collectGarbage, openHost, temporaryDirectory } from './support.ts';

const run = promisify(execFile);

interface Report {
  /** Bytes for each origin. */
  readonly heap: number;
  readonly descriptors: number;
  readonly same: boolean;
  readonly again: string;
}

let fixture: string;
beforeAll(async () => {
  fixture = await bundleFixture(new URL('./fixtures/many-origins-fixture.ts', import.meta.url));
});

/** In memory where the system has a place for that: on a busy disk, thousands of directories take minutes. */
function quickDirectory(): string {
  if (!fs.existsSync('/dev/shm')) return temporaryDirectory();
  const directory = fs.mkdtempSync('/dev/shm/holdfast-host-');
  atEnd(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function openMany(count: number, hold: boolean): Promise<Report> {
  const args = ['--expose-gc', fixture, path.join(quickDirectory(), 'root'), String(count), hold ? 'hold' : 'drop'];
  const { stdout } = await run(process.execPath, args);
  return JSON.parse(stdout) as Report;
}

describe.skipIf(process.platform !== 'linux')('thousands of origins in one process', () => {
  test('take little memory each and a bounded number of descriptors, while they are held', async () => {
    const { heap, descriptors, same, again } = await openMany(1000, true);
    expect(heap).toBeLessThan(6 * 1024);
    expect(descriptors).toBeLessThan(400);
    expect({ same, again }).toEqual({ same: true, again: 'value 0' });
  });

  test('take next to nothing once nobody holds them, and are there again when asked for', async () => {
    // So many that what the runtime itself takes meanwhile, some 400 kB, does not decide.
    const { heap, descriptors, again } = await openMany(4000, false);
    expect(heap).toBeLessThan(256);
    expect(descriptors).toBeLessThan(400);
    expect(again).toBe('value 0');
  });
});

test('more origins than engines may run at once: locks and files of all of them work', async () => {
  const host = openHost({ root: path.join(quickDirectory(), 'root') });
  const origins = Array.from({ length: 140 }, (_, index) => `https://tenant-${index}.example`);
  let release = (): void => undefined;
  const first = host.origin(origins[0] ?? '');
  const held = first.locks.request('held', () => new Promise<void>((resolve) => (release = resolve)));
  const root = await first.storage.getDirectory();
  const access = await (await root.getFileHandle('open', { create: true })).createSyncAccessHandle();
  for (const round of [1, 2]) {
    for (const origin of origins) {
      const client = host.origin(origin);
      expect(await client.locks.request('l', () => round)).toBe(round);
      await (await client.storage.getDirectory()).getFileHandle(`f${round}`, { create: true });
    }
  }
  expect((await first.locks.query()).held.map(({ name }) => name)).toEqual(['held']);
  access.write(new Uint8Array(5));
  access.close();
  expect((await (await root.getFileHandle('open')).getFile()).size).toBe(5);
  release();
  await held;
});

test('an origin with something in its sessionStorage, or a listener, is remembered though nobody holds it', async () => {
  const host = openHost();
  host.origin('https://session.example').sessionStorage.setItem('k', 'v');
  let heard = '';
  host.origin('https://listener.example').addEventListener('storage', (event) => (heard = (event as unknown as { key: string }).key));
  for (let index = 0; index < 600; index += 1) host.origin(`https://tenant-${index}.example`);
  await collectGarbage();
  expect(host.origin('https://session.example').sessionStorage.getItem('k')).toBe('v');
  host.client('https://listener.example').localStorage.setItem('written', 'v');
  await expect.poll(() => heard).toBe('written');
});

test('a client with something in its sessionStorage is freed once nobody holds it', async () => {
  const host = openHost();
  const dropped = (): WeakRef<object> => {
    const client = host.client('https://session.example');
    client.sessionStorage.setItem('k', 'v');
    return new WeakRef(client);
  };
  const references = Array.from({ length: 20 }, dropped);
  await expect
    .poll(async () => {
      await collectGarbage();
      return references.filter((each) => each.deref() !== undefined).length;
    })
    .toBe(0);
});
