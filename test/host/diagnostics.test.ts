import { AsyncLocalStorage } from 'node:async_hooks';
import { spawnSync } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import fs from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import type { StorageWarning } from '../../src/index.ts';
import { warn } from '../../src/runtime/warning.ts';
import { bundleFixture } from '../support/bundle.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { atEnd, collectGarbage, openHost, temporaryDirectory, thrownBy } from './support.ts';
import '../../src/host/indexed-db/provided.ts';

const ORIGIN = 'https://app.example';

type Message = Record<string, unknown>;

/** What a channel tells until the end of the test. */
function messagesOf(name: string): Message[] {
  const messages: Message[] = [];
  const listener = (message: unknown): void => void messages.push(message as Message);
  diagnostics.subscribe(name, listener);
  atEnd(() => diagnostics.unsubscribe(name, listener));
  return messages;
}

async function fileOf(host: StorageHost, name: string) {
  const root = await host.origin(ORIGIN).storage.getDirectory();
  return root.getFileHandle(name, { create: true });
}

function damaged(root: string, message = 'a record is damaged'): StorageWarning {
  return { code: 'record-damaged', message, path: path.join(root, 'origins', 'https_app.example', 'journal') };
}

describe('warnings', () => {
  test('of a root go to the hosts of that root that ask for them, and to nobody else', () => {
    const heard: StorageWarning[] = [];
    const others: StorageWarning[] = [];
    const host = openHost({ onWarning: (warning) => heard.push(warning) });
    const other = openHost({ onWarning: (warning) => others.push(warning) });
    const beside = openHost({ root: `${host.root}-beside`, onWarning: (warning) => others.push(warning) });
    const warning = damaged(host.root);
    warn(warning);
    warn({ ...warning, path: host.root });
    expect(heard).toEqual([warning, { ...warning, path: host.root }]);
    expect(others).toEqual([]);
    expect([host.stats().warnings, other.stats().warnings, beside.stats().warnings]).toEqual([2, 0, 0]);
  });

  test('are heard by nobody after the host was closed', async () => {
    const heard: StorageWarning[] = [];
    const host = openHost({ onWarning: (warning) => heard.push(warning) });
    await host.close();
    const printed = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    atEnd(() => printed.mockRestore());
    warn(damaged(host.root));
    expect(heard).toEqual([]);
    expect(printed).toHaveBeenCalledTimes(1);
  });

  test('that a listener throws at harm nobody', () => {
    const heard: StorageWarning[] = [];
    const host = openHost({
      onWarning: () => {
        throw new Error('no');
      },
    });
    openHost({ root: host.root, onWarning: (warning) => heard.push(warning) });
    warn(damaged(host.root));
    expect(heard).toHaveLength(1);
  });

  test('run in the context of whoever gave the listener', () => {
    const context = new AsyncLocalStorage<string>();
    const heard: unknown[] = [];
    const host = context.run('of the author', () => openHost({ onWarning: () => heard.push(context.getStore()) }));
    context.run('of another', () => warn(damaged(host.root)));
    expect(heard).toEqual(['of the author']);
  });

  test('that nobody asks for are printed once for each code and path', () => {
    const printed = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    atEnd(() => printed.mockRestore());
    const host = openHost();
    const warning = damaged(host.root);
    warn(warning);
    warn(warning);
    warn({ ...warning, code: 'journal-replaced' });
    expect(printed.mock.calls).toEqual([
      ['a record is damaged', { type: 'HoldfastWarning', code: 'record-damaged' }],
      ['a record is damaged', { type: 'HoldfastWarning', code: 'journal-replaced' }],
    ]);
    expect(host.stats().warnings).toBe(3);
  });

  test('do not keep a host alive that nobody holds', async () => {
    const heard: StorageWarning[] = [];
    const root = temporaryDirectory();
    const reference = new WeakRef(new StorageHost({ root, onWarning: (warning) => heard.push(warning) }));
    const printed = vi.spyOn(process, 'emitWarning').mockImplementation(() => undefined);
    atEnd(() => printed.mockRestore());
    await collectGarbage();
    expect(reference.deref()).toBeUndefined();
    await vi.waitFor(() => {
      heard.length = 0;
      warn(damaged(root, 'after the end'));
      expect(heard).toEqual([]);
    }, 30_000);
  });

  test('are told on their channel', () => {
    const messages = messagesOf('holdfast:warning');
    const warning = damaged(openHost({ onWarning: () => undefined }).root);
    warn(warning);
    expect(messages).toEqual([warning]);
  });

  test.each([7, 'log', {}])('the option refuses %j', (onWarning) => {
    expect(thrownBy(() => openHost({ onWarning: onWarning as never }))).toMatchObject({ code: 'bad-option' });
  });
});

describe('the channel holdfast:write', () => {
  test('tells of items, never of their values', () => {
    const messages = messagesOf('holdfast:write');
    const host = openHost();
    const { localStorage, sessionStorage } = host.origin(ORIGIN);
    localStorage.setItem('key', 'secret');
    localStorage.removeItem('key');
    localStorage.clear();
    sessionStorage.setItem('key', 'secret');
    const common = { root: host.root, origin: ORIGIN, area: 'localStorage' };
    expect(messages).toEqual([
      { ...common, operation: 'set', key: 'key', bytes: 18 },
      { ...common, operation: 'remove', key: 'key', bytes: 0 },
      { ...common, operation: 'clear', key: null, bytes: 0 },
    ]);
    expect(JSON.stringify(messages)).not.toContain('secret');
  });

  test('tells of files when what was written can be seen', async () => {
    const host = openHost();
    const file = await fileOf(host, 'a.txt');
    const messages = messagesOf('holdfast:write');
    const writable = await file.createWritable();
    await writable.write('12345');
    expect(messages).toEqual([]);
    await writable.close();
    const access = await file.createSyncAccessHandle();
    access.write(new Uint8Array(3));
    access.close();
    const common = { root: host.root, origin: ORIGIN, area: 'files', path: '/a.txt' };
    expect(messages).toEqual([{ ...common, operation: 'replace' }, { ...common, operation: 'write', bytes: 3 }]);
  });

  test('does not tell of what was refused', () => {
    const host = openHost({ quota: 10 });
    const messages = messagesOf('holdfast:write');
    expect(thrownBy(() => host.origin(ORIGIN).localStorage.setItem('key', 'much too long'))).toMatchObject({ name: 'QuotaExceededError' });
    expect(messages).toEqual([]);
    expect(host.stats().localStorage).toMatchObject({ writes: 0, refused: 1 });
  });
});

describe('the channel holdfast:lock', () => {
  test('tells what becomes of requests, with their times', async () => {
    const host = openHost();
    const messages = messagesOf('holdfast:lock');
    const { locks } = host.origin(ORIGIN);
    const controller = new AbortController();
    await locks.request('job', async () => {
      await locks.request('job', { ifAvailable: true }, () => undefined);
      const waiting = locks.request('job', { signal: controller.signal }, () => undefined);
      await vi.waitFor(() => expect(host.stats().locks.waiting).toBe(1), 30_000);
      controller.abort();
      await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    });
    const common = { root: host.root, origin: ORIGIN, kind: 'web', name: 'job', mode: 'exclusive' };
    const milliseconds = expect.any(Number) as number;
    expect(messages).toEqual([
      { ...common, event: 'granted', waited: milliseconds },
      { ...common, event: 'refused' },
      { ...common, event: 'withdrawn', waited: milliseconds },
      { ...common, event: 'released', held: milliseconds },
    ]);
    expect(host.stats().locks).toEqual({ granted: 1, refused: 1, withdrawn: 1, waiting: 0, held: 0 });
  });

  test('tells of handles’ locks on files', async () => {
    const host = openHost();
    const file = await fileOf(host, 'a.txt');
    const messages = messagesOf('holdfast:lock');
    const access = await file.createSyncAccessHandle();
    await expect(file.createWritable()).rejects.toMatchObject({ name: 'NoModificationAllowedError' });
    access.close();
    const common = { root: host.root, origin: ORIGIN, kind: 'file', path: '/a.txt' };
    expect(messages).toEqual([
      { ...common, event: 'granted', mode: 'exclusive' },
      { ...common, event: 'refused', mode: 'siloed' },
    ]);
    expect(host.stats().files.refused).toBe(1);
  });
});

test('the channel holdfast:compaction tells which journal became how much shorter', () => {
  const host = openHost();
  const messages = messagesOf('holdfast:compaction');
  const { localStorage } = host.origin(ORIGIN);
  const value = 'x'.repeat(256 * 1024);
  for (let round = 0; messages.length === 0 && round < 100; round += 1) localStorage.setItem('key', `${round}${value}`);
  const [message] = messages;
  expect(message).toMatchObject({ root: host.root, origin: ORIGIN });
  expect(message?.['path']).toMatch(/local-storage/);
  expect(fs.existsSync(String(message?.['path']))).toBe(true);
  expect(message?.['after']).toBeLessThan(Number(message?.['before']));
  expect(host.stats().journals.compactions).toBe(1);
});

test('the channel holdfast:sync tells when a region connects, applies and leaves', async () => {
  const messages = messagesOf('holdfast:sync');
  const host = openHost({ encryption: undefined, sync: { hub: memoryHub(new MemoryEngine()), region: 'eu', files: 'off' } });
  const client = host.origin(ORIGIN);
  client.localStorage.setItem('k', 'v');
  await client.sync?.flush();
  expect(host.stats().sync).toEqual([{ origin: ORIGIN, connected: true, position: 1, filesPosition: null, pending: 0, rejected: 0 }]);
  await host.close();
  const common = { root: host.root, origin: ORIGIN, area: 'localStorage' };
  const events = messages.map(({ event }) => event);
  expect(events).toEqual(expect.arrayContaining(['connected', 'applied', 'disconnected']));
  expect(messages.find(({ event }) => event === 'applied')).toMatchObject({ ...common, position: 1, pending: 0, problem: '' });
  expect(host.stats().sync).toEqual([]);
});

describe('stats', () => {
  test('count reads, writes and bytes of localStorage, not those of sessionStorage', () => {
    const host = openHost();
    const { localStorage, sessionStorage } = host.origin(ORIGIN);
    localStorage.setItem('key', 'value');
    localStorage.getItem('key');
    localStorage.getItem('absent');
    sessionStorage.setItem('key', 'value');
    sessionStorage.getItem('key');
    expect(host.stats()).toMatchObject({ origins: 1, localStorage: { reads: 2, writes: 1, bytesWritten: 16, refused: 0 } });
  });

  test('count what handles do, and those that are open', async () => {
    const host = openHost();
    const file = await fileOf(host, 'a.txt');
    const writable = await file.createWritable();
    await writable.write('12345');
    expect(host.stats().files.open).toBe(1);
    await writable.close();
    await file.getFile();
    const access = await file.createSyncAccessHandle();
    access.read(new Uint8Array(10));
    access.write(new Uint8Array(2), { at: 0 });
    expect(host.stats().files).toEqual({ opened: 1, reads: 1, bytesRead: 5, writes: 2, bytesWritten: 7, refused: 0, open: 1 });
    access.close();
    expect(host.stats().files.open).toBe(0);
  });

  test('count checkpoints of databases that held the event loop', async () => {
    // Whatever is measured takes no time, on however slow a machine.
    let [seconds, each] = [process.uptime(), 0];
    const clock = vi.spyOn(process, 'uptime').mockImplementation(() => (seconds += each));
    atEnd(() => clock.mockRestore());
    const host = openHost();
    const opening = host.origin(ORIGIN).indexedDB.open('db', 1);
    await new Promise((resolve) => opening.addEventListener('success', resolve));
    expect(host.stats().journals.checkpoints).toBe(0);
    // It takes 20 ms now, as does the checkpoint of the last connection.
    each = 0.02;
    (opening.result as { close(): void }).close();
    await vi.waitFor(() => expect(host.stats().journals.checkpoints).toBe(1), 30_000);
  });

  test('say what is open and watched now', async () => {
    const host = openHost();
    expect(host.stats()).toMatchObject({ origins: 0, journals: { open: 0 }, watched: 0 });
    const client = host.origin(ORIGIN);
    client.localStorage.setItem('k', 'v');
    expect(host.stats().journals.open).toBe(1);
    await client.locks.query();
    await client.locks.request('l', () => expect(host.stats().journals.open).toBe(2));
    client.addEventListener('storage', () => undefined);
    expect(host.stats().watched).toBe(1);
    await host.close();
    expect(host.stats()).toMatchObject({ journals: { open: 0 }, watched: 0, locks: { held: 0, waiting: 0 } });
  });

  test('are of their own host', () => {
    const host = openHost();
    const other = openHost({ root: host.root });
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
    expect([host.stats().localStorage.writes, other.stats().localStorage.writes]).toEqual([1, 0]);
  });
});

describe('a program whose root is damaged', () => {
  let program: string;
  beforeAll(async () => {
    program = await bundleFixture(new URL('fixtures/warned-fixture.ts', import.meta.url));
  });

  test('prints a warning where nobody asked for them, and goes on', () => {
    const { status, stderr, stdout } = spawnSync(process.execPath, [program, temporaryDirectory()], { encoding: 'utf8' });
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'went on\n' });
    expect(stderr.match(/HoldfastWarning: one sentence/g)).toHaveLength(1);
  });
});
