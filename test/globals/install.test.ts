import path from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import '../../src/host/broadcast-channel/provided.ts';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/sync/provided.ts';
import { install } from '../../src/host/install/install.ts';
import type { InstallOptions } from '../../src/host/install/options.ts';
import { FileSystemFileHandle } from '../../src/file-system/file-handle.ts';
import { StorageManager } from '../../src/storage/storage-manager.ts';
import type { Storage } from '../../src/web-storage/storage.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { atEnd, listing, nextEvent, openHost, temporaryDirectory, thrownBy } from '../host/support.ts';
import { encrypted } from '../support/sealed.ts';

type Target = Record<string, unknown>;

const origin = 'https://app.example';

/** Installs on a fresh object unless the options say where. */
function installed(options: InstallOptions): { target: Target; undo: () => void } {
  const target = (options.target ?? {}) as Target;
  const undo = install({ ...options, target });
  atEnd(undo);
  return { target, undo };
}

const webStorage = ['Storage', 'StorageEvent', 'localStorage', 'sessionStorage'];
const files = ['FileSystemDirectoryHandle', 'FileSystemFileHandle', 'FileSystemHandle', 'FileSystemObserver', 'FileSystemWritableFileStream', 'StorageManager'];
const locks = ['Lock', 'LockManager'];
const databases = [
  'DOMStringList', 'IDBCursor', 'IDBCursorWithValue', 'IDBDatabase', 'IDBFactory', 'IDBIndex', 'IDBKeyRange', 'IDBObjectStore',
  'IDBOpenDBRequest', 'IDBRecord', 'IDBRequest', 'IDBTransaction', 'IDBVersionChangeEvent', 'indexedDB',
];
const always = ['Navigator', 'QuotaExceededError', 'navigator'];

describe('what is installed', () => {
  test('are all globals by default, and never window, self or document', () => {
    const { target } = installed({ host: openHost() });
    expect(Object.getOwnPropertyNames(target).sort()).toEqual(
      [...webStorage, ...files, 'FileSystemSyncAccessHandle', ...locks, ...databases, 'Cache', 'CacheStorage', 'caches', 'BroadcastChannel', 'StorageBucket', 'StorageBucketManager', ...always].sort(),
    );
    expect(Object.getOwnPropertyNames(Object.getPrototypeOf(target.navigator)).sort()).toEqual(
      ['constructor', 'hardwareConcurrency', 'language', 'languages', 'locks', 'platform', 'storage', 'storageBuckets', 'userAgent'].sort(),
    );
  });

  test('are the chosen ones, with their interfaces', () => {
    const names = (globals: InstallOptions['globals']): string[] =>
      Object.getOwnPropertyNames(installed({ host: openHost(), ...(globals && { globals }) }).target).sort();
    expect(names(['localStorage'])).toEqual(['QuotaExceededError', 'Storage', 'StorageEvent', 'localStorage']);
    expect(names(['navigator.locks'])).toEqual(['Lock', 'LockManager', 'Navigator', 'navigator']);
    expect(names(['indexedDB'])).toEqual([...databases, 'QuotaExceededError'].sort());
    expect(names(['caches'])).toEqual(['Cache', 'CacheStorage', 'QuotaExceededError', 'caches']);
    expect(names(['BroadcastChannel'])).toEqual(['BroadcastChannel']);
    expect(names(['navigator.storageBuckets'])).toEqual(['Navigator', 'QuotaExceededError', 'StorageBucket', 'StorageBucketManager', 'navigator']);
    expect(names([])).toEqual([]);
  });

  test.each([
    ['window', ['FileSystemSyncAccessHandle'], { createSyncAccessHandle: false, persist: true }],
    ['standard', ['FileSystemSyncAccessHandle'], { createSyncAccessHandle: false, persist: true }],
    ['worker', webStorage, { createSyncAccessHandle: true, persist: false }],
    ['all', [], { createSyncAccessHandle: true, persist: true }],
  ] as const)('with the exposure %s leave out %j', (exposure, absent, members) => {
    const { target, undo } = installed({ host: openHost(), exposure });
    for (const name of [...webStorage, 'FileSystemSyncAccessHandle']) {
      expect([name, name in target]).toEqual([name, !(absent as readonly string[]).includes(name)]);
    }
    const found = (): object => ({
      createSyncAccessHandle: 'createSyncAccessHandle' in FileSystemFileHandle.prototype,
      persist: 'persist' in StorageManager.prototype,
    });
    expect(found()).toEqual(members);
    undo();
    expect(found()).toEqual({ createSyncAccessHandle: true, persist: true });
  });

  test('have the properties that Web IDL asks for', () => {
    const { target } = installed({ host: openHost(), origin });
    const navigator = Object.getPrototypeOf(target.navigator) as object;
    for (const name of ['FileSystemWritableFileStream', 'BroadcastChannel', 'IDBKeyRange']) expect(target[name]).toBe(target[name]);
    for (const name of ['Storage', 'FileSystemHandle', 'LockManager', 'QuotaExceededError', 'FileSystemWritableFileStream', 'BroadcastChannel', 'IDBKeyRange']) {
      const { value, ...flags } = Object.getOwnPropertyDescriptor(target, name) ?? {};
      expect([name, (value as { name: string }).name, flags]).toEqual([name, name, { writable: true, enumerable: false, configurable: true }]);
    }
    for (const [holder, name] of [[target, 'localStorage'], [target, 'sessionStorage'], [target, 'indexedDB'], [navigator, 'storage'], [navigator, 'locks']] as const) {
      const { get, ...flags } = Object.getOwnPropertyDescriptor(holder, name) ?? {};
      expect(get?.name).toBe(`get ${name}`);
      expect(flags).toEqual({ set: undefined, enumerable: true, configurable: true });
    }
    expect(thrownBy(() => (navigator as { storage: unknown }).storage).name).toBe('TypeError');
    expect(target.localStorage).toBe(target.localStorage);
    expect((target.navigator as { storage: object }).storage).toBe((target.navigator as { storage: object }).storage);
  });
});

describe('a navigator', () => {
  test('that the target has gets its attributes on its prototype', () => {
    class Navigator {}
    const navigator = new Navigator();
    const { undo } = installed({ host: openHost(), target: { navigator } });
    expect(Object.keys(Navigator.prototype)).toEqual(['storage', 'locks', 'storageBuckets']);
    expect(Object.keys(navigator)).toEqual([]);
    undo();
    expect(Object.keys(Navigator.prototype)).toEqual([]);
  });

  test('that is a plain object gets them itself', () => {
    const navigator = { userAgent: 'mine' };
    const { undo } = installed({ host: openHost(), target: { navigator } });
    expect(Object.keys(navigator)).toEqual(['userAgent', 'storage', 'locks', 'storageBuckets']);
    undo();
    expect(Object.keys(navigator)).toEqual(['userAgent']);
  });

  test('that is missing is made as Node 21 has it', () => {
    const { target } = installed({ host: openHost() });
    const navigator = target.navigator as Record<string, unknown>;
    expect(String(navigator)).toBe('[object Navigator]');
    expect(navigator).toMatchObject({ userAgent: `Node.js/${process.versions.node.split('.')[0]}` });
    expect(navigator.hardwareConcurrency).toBeGreaterThan(0);
    expect(navigator.languages).toEqual([navigator.language]);
    expect(() => new (target.Navigator as new () => object)()).toThrow(new TypeError('Illegal constructor'));
  });
});

describe('outside any run', () => {
  test('nothing is given when no origin is', () => {
    const { target } = installed({ host: openHost() });
    for (const read of [() => target.localStorage, () => target.sessionStorage, () => (target.navigator as { storage: object }).storage]) {
      expect(thrownBy(read)).toMatchObject({ name: 'SecurityError' });
    }
  });

  test('the given origin is, and http://localhost on request', () => {
    const host = openHost();
    for (const [options, key] of [[{ origin }, origin], [{ outside: 'default' }, 'http://localhost']] as const) {
      (installed({ host, ...options }).target.localStorage as Storage).setItem('k', key);
      expect(host.origin(key).localStorage.getItem('k')).toBe(key);
    }
  });

  test('nothing is given where that is asked for in spite of an origin', () => {
    const { target } = installed({ host: openHost(), origin, outside: 'throw' });
    expect(thrownBy(() => target.localStorage).name).toBe('SecurityError');
  });

  test('a closed host is an InvalidStateError, an unusable root a SecurityError', async () => {
    const host = openHost();
    const { target } = installed({ host, origin });
    await host.close();
    expect(thrownBy(() => target.localStorage)).toMatchObject({ name: 'InvalidStateError', cause: { code: 'closed' } });
    const unusable = installed({ root: path.join(import.meta.filename, 'root'), origin });
    expect(thrownBy(() => unusable.target.localStorage)).toMatchObject({ name: 'SecurityError', cause: { code: 'root-unusable' } });
  });
});

describe('undoing', () => {
  test('puts back what was there', () => {
    const before = { localStorage: 'native', other: 1 };
    const target = { ...before };
    const { undo } = installed({ host: openHost(), origin, target });
    expect(target.localStorage).not.toBe('native');
    undo();
    undo();
    expect(Object.getOwnPropertyDescriptors(target)).toEqual(Object.getOwnPropertyDescriptors(before));
  });

  test('puts back what was there also where an interface has been touched, or assigned', () => {
    const before = { BroadcastChannel: 'native', IDBKeyRange: 'native', IDBCursor: 'native' };
    const target: Target = { ...before };
    const { undo } = installed({ host: openHost(), origin, target });
    const accessors = Object.getOwnPropertyDescriptor(target, 'IDBRequest');
    expect(accessors).toMatchObject({ enumerable: false, configurable: true });
    expect(accessors?.get).toBeTypeOf('function');
    expect(target.BroadcastChannel).toBeTypeOf('function');
    target.IDBKeyRange = 'theirs';
    undo();
    expect([target.BroadcastChannel, target.IDBKeyRange, target.IDBCursor]).toEqual(['native', 'theirs', 'native']);
  });

  test('leaves what others have put there since', () => {
    const { target, undo } = installed({ host: openHost(), origin });
    Object.defineProperty(target, 'localStorage', { value: 'theirs', configurable: true });
    undo();
    expect(Object.getOwnPropertyDescriptors(target)).toMatchObject({ localStorage: { value: 'theirs' } });
    expect(Object.keys(Object.getOwnPropertyDescriptors(target))).toEqual(['localStorage']);
  });

  test.each([[[0, 1, 2]], [[2, 1, 0]], [[1, 0, 2]], [[0, 2, 1]], [[2, 0, 1]], [[1, 2, 0]]])(
    'works in the order %j for three installs',
    (order) => {
      const host = openHost();
      const target: Target = { localStorage: 'native' };
      const origins = ['https://a.example', 'https://b.example', 'https://c.example'];
      for (const each of origins) host.origin(each).localStorage.setItem('me', each);
      const undos = origins.map((each) => installed({ host, target, origin: each }).undo);
      const left = new Set([0, 1, 2]);
      for (const index of order) {
        undos[index]?.();
        left.delete(index);
        const top = Math.max(...left);
        if (left.size === 0) expect(target).toEqual({ localStorage: 'native' });
        else expect((target.localStorage as Storage).getItem('me')).toBe(origins[top]);
        expect('Storage' in target).toBe(left.size > 0);
      }
    },
  );

  test('of an install that fails half way is done at once', () => {
    const host = openHost();
    const target = Object.defineProperty({}, 'sessionStorage', { value: 'fixed', configurable: false });
    expect(thrownBy(() => install({ host, target }))).toMatchObject({ code: 'bad-option' });
    expect(Object.getOwnPropertyNames(target)).toEqual(['sessionStorage']);
  });
});

describe('native globals', () => {
  const natives = (): { target: Target; reads: () => number } => {
    let count = 0;
    const read = (): string => {
      count += 1;
      return 'native';
    };
    class Navigator {
      get locks(): string {
        return read();
      }
    }
    const target = Object.defineProperties({} as Target, {
      navigator: { value: new Navigator(), configurable: true },
      localStorage: { get: read, configurable: true, enumerable: true },
    });
    return { target, reads: () => count };
  };

  test('are replaced and restored without being read, for reading them may print a warning', () => {
    const { target, reads } = natives();
    const { undo } = installed({ host: openHost(), origin, target });
    expect(String(target.localStorage)).toBe('[object Storage]');
    expect(String((target.navigator as { locks: object }).locks)).toBe('[object LockManager]');
    undo();
    expect(reads()).toBe(0);
    expect([target.localStorage, (target.navigator as { locks: object }).locks]).toEqual(['native', 'native']);
  });

  test('are kept on request', () => {
    const { target } = natives();
    installed({ host: openHost(), origin, target, native: 'keep' });
    expect([target.localStorage, (target.navigator as { locks: object }).locks]).toEqual(['native', 'native']);
    expect(String(target.sessionStorage)).toBe('[object Storage]');
  });
});

describe('events', () => {
  type Events = EventTarget & { onstorage: unknown };

  test('of storage are the current client’s', async () => {
    const host = openHost();
    const { target } = installed({ host, origin, events: true });
    const global = target as unknown as Events;
    const event = nextEvent(global, 'storage');
    let handled = 0;
    global.onstorage = () => (handled += 1);
    const inTenant = host.run('https://other.example', () => nextEvent(global, 'storage'));
    host.client(origin).localStorage.setItem('k', 'v');
    expect(await event).toMatchObject({ key: 'k', storageArea: target.localStorage });
    expect(handled).toBe(1);
    host.client('https://other.example').localStorage.setItem('theirs', 'v');
    expect(await inTenant).toMatchObject({ key: 'theirs' });
    expect(handled).toBe(1);
  });

  test('of other types stay where they were', () => {
    const target = new EventTarget();
    const global = installed({ host: openHost(), origin, events: true, target: target as never }).target as unknown as Events;
    const listener = vi.fn();
    global.addEventListener('other', listener);
    EventTarget.prototype.dispatchEvent.call(target, new Event('other'));
    expect(listener).toHaveBeenCalledTimes(1);
    global.dispatchEvent(new Event('other'));
    global.removeEventListener('other', listener);
    global.dispatchEvent(new Event('other'));
    expect(listener).toHaveBeenCalledTimes(2);
  });

  test('go between listeners of a global that knew no events', () => {
    const global = installed({ host: openHost(), origin, events: true }).target as unknown as Events;
    const listener = vi.fn();
    global.addEventListener('other', listener);
    global.dispatchEvent(new Event('other'));
    expect(listener).toHaveBeenCalledTimes(1);
  });

  test('are not there unless asked for', () => {
    expect('addEventListener' in installed({ host: openHost(), origin }).target).toBe(false);
    expect('onstorage' in installed({ host: openHost(), origin, events: true, exposure: 'worker' }).target).toBe(false);
  });
});

describe('options of an install', () => {
  test.each([
    { globals: 'localStorage' },
    { globals: ['window'] },
    { outside: 'maybe' },
    { exposure: 'everything' },
    { events: 'yes' },
    { structuredClone: 1 },
    { native: true },
    { target: null },
    { target: 'globalThis' },
    { origin: 'app.example' },
    { host: {} },
    { root: '' },
    { quota: -1 },
    { unknown: 1 },
    null,
  ])('refuses %j', (options) => {
    expect(thrownBy(() => install(options as never))).toMatchObject({ code: 'bad-option' });
  });

  test('refuses a host together with what makes one', () => {
    expect(thrownBy(() => install({ host: openHost(), root: 'x', target: {} }))).toMatchObject({ code: 'bad-option' });
  });

  test('refuses an opaque origin', () => {
    expect(thrownBy(() => install({ origin: 'file:///x', target: {} })).name).toBe('SecurityError');
  });

  test('touch no disk, and a host that was made is closed by the undo', async () => {
    const directory = temporaryDirectory();
    const { target, undo } = installed({ root: path.join(directory, 'root'), origin });
    const storage = target.localStorage as Storage;
    expect(listing(directory)).toEqual([]);
    storage.setItem('k', 'v');
    undo();
    await expect.poll(() => thrownBy(() => storage.getItem('k')).name).toBe('InvalidStateError');
  });
});

describe('structured cloning', () => {
  test('lets handles through when asked for', async () => {
    const host = openHost();
    const { target } = installed({ host, origin, structuredClone: true, target: Object.create(globalThis, {}) as object });
    const root = await host.origin(origin).storage.getDirectory();
    const clone = (target.structuredClone as typeof structuredClone)(root);
    expect(await clone.isSameEntry(root)).toBe(true);
  });

  test('refuses a handle of another origin', async () => {
    const host = openHost();
    const { target } = installed({ host, origin, structuredClone: true, target: Object.create(globalThis, {}) as object });
    const root = await host.origin('https://other.example').storage.getDirectory();
    expect(thrownBy(() => (target.structuredClone as typeof structuredClone)(root)).name).toBe('DataCloneError');
  });
});

describe('the host that an install makes', () => {
  test('takes the options of a host, sync too', async () => {
    const engine = new MemoryEngine();
    const { target } = installed({ root: path.join(temporaryDirectory(), 'root'), origin, sync: { hub: memoryHub(engine), region: 'a' }, ...encrypted });
    (target['localStorage'] as Storage).setItem('k', 'v');
    const elsewhere = openHost({ sync: { hub: memoryHub(engine), region: 'b' } }).origin(origin);
    await vi.waitFor(() => expect(elsewhere.localStorage.getItem('k')).toBe('v'), 30_000);
  });

  test('is told apart from a host that is given', () => {
    const host = openHost();
    for (const option of [{ sync: {} }, { onWarning: () => undefined }, { quota: 1 }, { root: 'x' }]) {
      const message = `Option '${Object.keys(option)[0]}' belongs to the host; give one or the other.`;
      expect(thrownBy(() => install({ host, ...option } as never))).toMatchObject({ code: 'bad-option', message });
    }
  });
});
