import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { StorageClient } from '../../src/host/storage-client.ts';
import type { StorageEvent } from '../../src/web-storage/storage-event.ts';
import { nextEvent, openHost, thrownBy } from './support.ts';

const origin = 'https://app.example';

describe('a client', () => {
  test('of an origin is one and the same', () => {
    const host = openHost();
    const client = host.origin(origin);
    expect(host.origin(origin)).toBe(client);
    expect(client.localStorage).toBe(client.localStorage);
    expect(client.sessionStorage).toBe(client.sessionStorage);
    expect(client.storage).toBe(client.storage);
    expect(client.locks).toBe(client.locks);
  });

  test('cannot be constructed by users', () => {
    expect(() => new (StorageClient as unknown as new () => object)()).toThrow(new TypeError('Illegal constructor'));
  });

  test('shares localStorage with the origin, and nothing with another', () => {
    const host = openHost();
    const [app, visitor, other] = [host.origin(origin), host.client(origin), host.origin('https://other.example')];
    app.localStorage.setItem('k', 'v');
    expect(visitor.localStorage.getItem('k')).toBe('v');
    expect(other.localStorage.getItem('k')).toBeNull();
  });

  test('has a sessionStorage of its own', () => {
    const host = openHost();
    const [app, one, two] = [host.origin(origin), host.client(origin), host.client(origin)];
    one.sessionStorage.setItem('k', 'v');
    expect([app, two].map((client) => client.sessionStorage.length)).toEqual([0, 0]);
  });

  test('has a URL of its origin', () => {
    const host = openHost();
    expect(host.origin(origin).url).toBe('https://app.example/');
    expect(host.client(origin, { url: '/page?1' }).url).toBe('https://app.example/page?1');
    expect(host.client(origin, { url: new URL('https://app.example/x') }).url).toBe('https://app.example/x');
    expect(thrownBy(() => host.client(origin, { url: 'https://other.example/' })).name).toBe('SecurityError');
    expect(thrownBy(() => host.client(origin, { url: 'https://' }))).toMatchObject({ code: 'bad-option' });
    expect(thrownBy(() => host.client(origin, { uri: '/' } as never))).toMatchObject({ code: 'bad-option' });
  });
});

describe('storage events', () => {
  test('go to every client but the one that wrote', async () => {
    const host = openHost();
    const [app, one, two] = [host.origin(origin), host.client(origin, { url: '/one' }), host.client(origin)];
    const seen: string[] = [];
    for (const [name, client] of Object.entries({ app, one, two })) {
      client.addEventListener('storage', (event) => seen.push(`${name} ${(event as StorageEvent).key}`));
    }
    const [toApp, toTwo] = [nextEvent<StorageEvent>(app, 'storage'), nextEvent(two, 'storage')];
    one.localStorage.setItem('k', 'v');
    const event = await toApp;
    await toTwo;
    expect(seen.sort()).toEqual(['app k', 'two k']);
    expect(event).toMatchObject({ key: 'k', oldValue: null, newValue: 'v', url: 'https://app.example/one' });
    expect(event.storageArea).toBe(app.localStorage);
    expect(event.target).toBe(app);
  });

  test('reach onstorage, in its place among the listeners, with the client as this', async () => {
    const host = openHost();
    const app = host.origin(origin);
    const calls: string[] = [];
    app.addEventListener('storage', () => calls.push('first'));
    app.onstorage = () => calls.push('replaced');
    app.addEventListener('storage', () => calls.push('last'));
    app.onstorage = function (this: unknown) {
      calls.push(this === app ? 'handler' : 'handler of something else');
    };
    const arrived = nextEvent(app, 'storage');
    host.client(origin).localStorage.setItem('k', 'v');
    await arrived;
    expect(calls).toEqual(['first', 'handler', 'last']);
    app.onstorage = 5 as never;
    expect(app.onstorage).toBeNull();
  });

  test('are not told to listeners that were removed, by any of the ways', async () => {
    const host = openHost();
    const [app, writer] = [host.origin(origin), host.client(origin)];
    const calls: string[] = [];
    const removed = (): unknown => calls.push('removed');
    const controller = new AbortController();
    app.addEventListener('storage', removed);
    app.addEventListener('storage', removed);
    app.addEventListener('storage', () => calls.push('aborted'), { signal: controller.signal });
    app.addEventListener('storage', () => calls.push('once'), { once: true });
    app.addEventListener('storage', { handleEvent: () => calls.push('object') });
    app.removeEventListener('storage', removed);
    controller.abort();
    for (const value of ['1', '2']) {
      const arrived = nextEvent(app, 'storage');
      writer.localStorage.setItem('k', value);
      await arrived;
    }
    expect(calls).toEqual(['once', 'object', 'object']);
  });

  test('are told to a listener that was added again', () => {
    const app = openHost().origin(origin);
    const calls: number[] = [];
    const listener = (): unknown => calls.push(1);
    app.addEventListener('custom', listener, { once: true });
    app.dispatchEvent(new Event('custom'));
    app.addEventListener('custom', listener);
    app.dispatchEvent(new Event('custom'));
    app.dispatchEvent(new Event('custom'));
    expect(calls).toEqual([1, 1, 1]);
  });
});

describe('a closed client', () => {
  test('refuses everything, and leaves the others alone', async () => {
    const host = openHost();
    const [app, visitor] = [host.origin(origin), host.client(origin)];
    const { localStorage, sessionStorage, storage, locks } = visitor;
    sessionStorage.setItem('k', 'v');
    const file = await (await storage.getDirectory()).getFileHandle('f', { create: true });
    visitor.close();
    visitor.close();
    expect(visitor.closed).toBe(true);
    for (const name of ['localStorage', 'sessionStorage', 'storage', 'locks'] as const) {
      expect(thrownBy(() => visitor[name])).toMatchObject({ name: 'HoldfastError', code: 'closed' });
    }
    expect(thrownBy(() => localStorage.getItem('k')).name).toBe('InvalidStateError');
    expect(thrownBy(() => localStorage.setItem('k', 'v')).name).toBe('InvalidStateError');
    expect(thrownBy(() => sessionStorage.length).name).toBe('InvalidStateError');
    for (const promise of [storage.getDirectory(), storage.estimate(), storage.persist(), storage.persisted()]) {
      await expect(promise).rejects.toMatchObject({ name: 'InvalidStateError' });
    }
    await expect(locks.request('l', () => 1)).rejects.toMatchObject({ name: 'InvalidStateError' });
    await expect(file.getFile()).rejects.toMatchObject({ name: 'InvalidStateError' });
    await expect(file.createWritable()).rejects.toMatchObject({ name: 'InvalidStateError' });
    expect(thrownBy(() => host.run(visitor, () => 1))).toMatchObject({ code: 'closed' });
    app.localStorage.setItem('k', 'v');
    expect(await app.locks.request('l', () => 1)).toBe(1);
  });

  test('has released its locks, and given up what it waited for', async () => {
    const host = openHost();
    const [app, visitor] = [host.origin(origin), host.client(origin)];
    let granted = (): void => undefined;
    const holding = new Promise<void>((resolve) => (granted = resolve));
    const held = visitor.locks.request('held', () => (granted(), new Promise(() => undefined)));
    await holding;
    const waiting = visitor.locks.request('held', () => 2);
    const file = await (await visitor.storage.getDirectory()).getFileHandle('f', { create: true });
    const access = await file.createSyncAccessHandle();
    visitor.close();
    await expect(held).rejects.toMatchObject({ name: 'AbortError' });
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
    expect(await app.locks.request('held', () => 'free')).toBe('free');
    expect(thrownBy(() => access.getSize()).name).toBe('InvalidStateError');
    const mine = await (await app.storage.getDirectory()).getFileHandle('f');
    (await mine.createSyncAccessHandle()).close();
  });

  test('hears of nothing any more', async () => {
    const host = openHost();
    const [app, visitor] = [host.origin(origin), host.client(origin)];
    let heard = 0;
    visitor.addEventListener('storage', () => (heard += 1));
    const arrived = nextEvent(host.client(origin), 'storage');
    visitor[Symbol.dispose]();
    app.localStorage.setItem('k', 'v');
    await arrived;
    expect(heard).toBe(0);
  });
});

describe('a closed host', () => {
  test('refuses everything, as do its clients', async () => {
    const host = openHost();
    const [app, visitor] = [host.origin(origin), host.client(origin)];
    const { localStorage, sessionStorage, locks } = visitor;
    const root = await app.storage.getDirectory();
    localStorage.setItem('k', 'v');
    sessionStorage.setItem('k', 'v');
    const closing = host.close();
    expect(host.close()).toBe(closing);
    await closing;
    await host[Symbol.asyncDispose]();
    for (const call of [() => host.origin(origin), () => host.client(origin), () => host.run(origin, () => 1)]) {
      expect(thrownBy(call)).toMatchObject({ name: 'HoldfastError', code: 'closed' });
    }
    expect(thrownBy(() => host.run(app, () => 1))).toMatchObject({ code: 'closed' });
    expect(app.closed && visitor.closed).toBe(true);
    for (const client of [app, visitor]) expect(thrownBy(() => client.localStorage)).toMatchObject({ code: 'closed' });
    for (const storage of [localStorage, sessionStorage]) expect(thrownBy(() => storage.getItem('k')).name).toBe('InvalidStateError');
    await expect(locks.request('l', () => 1)).rejects.toMatchObject({ name: 'InvalidStateError' });
    await expect(root.getFileHandle('f', { create: true })).rejects.toMatchObject({ name: 'InvalidStateError' });
  });

  test('lets operations that are under way end, whole or not at all', async () => {
    const host = openHost();
    const root = await host.origin(origin).storage.getDirectory();
    const names = Array.from({ length: 50 }, (_, index) => `file ${index}`);
    const outcomes = Promise.allSettled(
      names.map(async (name) => {
        const writable = await (await root.getFileHandle(name, { create: true })).createWritable();
        await writable.write('x'.repeat(1000));
        await writable.close();
        return name;
      }),
    );
    await new Promise((resolve) => setImmediate(resolve));
    await host.close();
    const done = (await outcomes).filter((outcome) => outcome.status === 'fulfilled').map(({ value }) => value);
    const again = openHost({ root: host.root });
    const found = await again.origin(origin).storage.getDirectory();
    for await (const [name, handle] of found.entries()) {
      const size = handle.kind === 'file' ? (await (handle as unknown as { getFile(): Promise<File> }).getFile()).size : -1;
      expect([name, size]).toEqual([name, done.includes(name) ? 1000 : expect.toSatisfy((bytes) => bytes === 0 || bytes === 1000)]);
    }
  });

  test.each([0, 1, 2, 3, 4, 6, 8])('leaves nothing of a writable that was being opened, %d turns before', async (turns) => {
    const host = openHost();
    const file = await (await host.origin(origin).storage.getDirectory()).getFileHandle('f', { create: true });
    const writable = await file.createWritable();
    await writable.write(new Uint8Array(2 ** 20));
    await writable.close();
    const opening = file.createWritable({ keepExistingData: true });
    for (let turn = 0; turn < turns; turn++) await Promise.resolve();
    await Promise.allSettled([host.close(), opening]);
    const swap = path.join(host.root, 'origins/https_app.example/default/swap');
    const left = () => fs.readdirSync(swap, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    await expect.poll(left).toEqual([]);
  });

  test('frees what it held for others', async () => {
    const host = openHost();
    let granted = (): void => undefined;
    const holding = new Promise<void>((resolve) => (granted = resolve));
    const held = host.origin(origin).locks.request('l', () => (granted(), new Promise(() => undefined)));
    await holding;
    const other = openHost({ root: host.root });
    const waiting = other.origin(origin).locks.request('l', () => 'mine');
    await Promise.all([host.close(), expect(held).rejects.toMatchObject({ name: 'AbortError' })]);
    expect(await waiting).toBe('mine');
  });

  test('that nobody holds clients of any more still ends their listeners and locks', async () => {
    const host = openHost();
    let heard = 0;
    const held = ((): Promise<unknown> => {
      const visitor = host.client(origin);
      visitor.addEventListener('storage', () => (heard += 1));
      return visitor.locks.request('l', () => new Promise(() => undefined));
    })();
    await expect.poll(async () => (await host.origin(origin).locks.query()).held.length).toBe(1);
    await Promise.all([host.close(), expect(held).rejects.toMatchObject({ name: 'AbortError' })]);
    const other = openHost({ root: host.root }).origin(origin);
    expect(await other.locks.request('l', () => 'mine')).toBe('mine');
    const arrived = nextEvent(openHost({ root: host.root }).origin(origin), 'storage');
    other.localStorage.setItem('k', 'v');
    await arrived;
    expect(heard).toBe(0);
  });
});

describe('run', () => {
  test('returns what the function returns, and throws what it throws', async () => {
    const host = openHost();
    expect(host.run(origin, () => 7)).toBe(7);
    expect(await host.run(origin, async () => 8)).toBe(8);
    expect(() => host.run(origin, () => expect.fail('thrown'))).toThrow('thrown');
    expect(thrownBy(() => host.run(origin, undefined as never)).name).toBe('TypeError');
  });

  test('takes no client of another host', () => {
    expect(thrownBy(() => openHost().run(openHost().origin(origin), () => 1))).toMatchObject({ code: 'bad-option' });
  });
});
