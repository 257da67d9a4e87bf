import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { install } from '../../src/host/install/install.ts';
import type { StorageClient } from '../../src/host/storage-client.ts';
import type { StorageHost } from '../../src/host/storage-host.ts';
import type { FileSystemDirectoryHandle } from '../../src/file-system/directory-handle.ts';
import type { Storage } from '../../src/web-storage/storage.ts';
import { FileSystemObserver } from '../../src/file-system/observer.ts';
import { atEnd, openHost, thrownBy } from './support.ts';

interface Globals {
  readonly localStorage: Storage;
  readonly navigator: {
    readonly storage: { getDirectory(): Promise<FileSystemDirectoryHandle> };
    readonly locks: StorageClient['locks'];
  };
}

const [a, b] = ['https://a.example', 'https://b.example'] as const;

let host: StorageHost;
let globals: Globals;

/** The tenant whose storage the globals are now; 'none' outside any run. */
function tenant(): string {
  try {
    return String(globals.localStorage.getItem('tenant'));
  } catch (error) {
    expect(error).toMatchObject({ name: 'SecurityError' });
    return 'none';
  }
}

beforeEach(() => {
  host = openHost();
  const target = {};
  atEnd(install({ host, target }));
  globals = target as Globals;
  for (const origin of [a, b]) host.origin(origin).localStorage.setItem('tenant', origin);
});

/** Runs `body` as both tenants at once, and gives what each saw. */
async function asBoth<T>(body: (origin: string) => Promise<T>): Promise<T[]> {
  return Promise.all([a, b].map((origin) => host.run(origin, () => body(origin))));
}

describe('the globals are the tenant’s own', () => {
  test('in the function, and nowhere outside', () => {
    expect(tenant()).toBe('none');
    expect(host.run(a, tenant)).toBe(a);
    expect(host.run(a, () => [host.run(b, tenant), tenant()])).toEqual([b, a]);
    expect(tenant()).toBe('none');
  });

  test('after every await', async () => {
    const seen = await asBoth(async () => {
      const tenants = [tenant()];
      for (let round = 0; round < 20; round += 1) {
        await (round % 2 === 0 ? Promise.resolve() : delay(1));
        tenants.push(tenant());
      }
      return tenants;
    });
    expect(seen).toEqual([Array<string>(21).fill(a), Array<string>(21).fill(b)]);
  });

  test('after awaiting storage, locks and files', async () => {
    const seen = await asBoth(async () => {
      const { navigator } = globals;
      const tenants: string[] = [];
      const note = (): unknown => tenants.push(tenant());
      const root = await navigator.storage.getDirectory();
      note();
      const file = await root.getFileHandle('f', { create: true });
      note();
      const writable = await file.createWritable();
      await writable.write(tenant());
      note();
      await writable.close();
      note();
      tenants.push(await (await file.getFile()).text());
      await navigator.locks.query();
      note();
      return new Set(tenants);
    });
    expect(seen).toEqual([new Set([a]), new Set([b])]);
  });

  test('in queued tasks: microtasks, immediates, ticks', async () => {
    const queues = [queueMicrotask, setImmediate, process.nextTick];
    const seen = await asBoth(() =>
      Promise.all(queues.map((queue) => new Promise((resolve) => queue(() => resolve(tenant()))))),
    );
    expect(seen).toEqual([Array(3).fill(a), Array(3).fill(b)]);
  });

  test('in timers', async () => {
    const seen = await asBoth(
      () =>
        new Promise((resolve) => {
          const interval = setInterval(() => {
            clearInterval(interval);
            setTimeout(() => resolve(tenant()), 1);
          }, 1);
        }),
    );
    expect(seen).toEqual([a, b]);
  });

  test('in streams: sources, transforms and what they write', async () => {
    const seen = await asBoth(async () => {
      const tenants = new Set<string>();
      const source = new ReadableStream<string>({
        async pull(controller) {
          tenants.add(tenant());
          await delay(1);
          controller.enqueue('x');
          controller.close();
        },
      });
      const transform = new TransformStream<string, string>({
        transform(chunk, controller) {
          tenants.add(tenant());
          controller.enqueue(chunk);
        },
      });
      const root = await globals.navigator.storage.getDirectory();
      const file = await root.getFileHandle('streamed', { create: true });
      await source.pipeThrough(transform).pipeTo(await file.createWritable());
      for await (const chunk of (await file.getFile()).stream()) {
        tenants.add(tenant());
        expect(chunk.length).toBe(1);
      }
      return tenants;
    });
    expect(seen).toEqual([new Set([a]), new Set([b])]);
  });

  test('in storage listeners, whoever wrote', async () => {
    const heard = (add: (client: StorageClient, listener: () => void) => void): Promise<string> =>
      new Promise((resolve) => {
        const client = host.client(a);
        host.run(client, () => add(client, () => resolve(tenant())));
      });
    const both = Promise.all([
      heard((client, listener) => client.addEventListener('storage', listener)),
      heard((client, listener) => {
        client.onstorage = listener;
      }),
    ]);
    const writer = host.client(a);
    host.run(b, () => writer.localStorage.setItem('k', 'v'));
    expect(await both).toEqual([a, a]);
  });

  test('in a listener, even when another tenant dispatches', () => {
    const client = host.client(a);
    const seen: string[] = [];
    host.run(client, () => client.addEventListener('custom', () => seen.push(tenant())));
    client.addEventListener('custom', () => seen.push(tenant()));
    host.run(b, () => client.dispatchEvent(new Event('custom')));
    expect(seen).toEqual([a, 'none']);
  });

  test('in a lock callback, though another tenant’s release grants it', async () => {
    const { locks } = host.client(a);
    let release = (): void => undefined;
    const first = host.run(b, () => locks.request('l', () => new Promise<void>((resolve) => (release = resolve))));
    await expect.poll(async () => (await locks.query()).held.length).toBe(1);
    const second = host.run(a, () => locks.request('l', async () => [tenant(), await delay(1, 'later'), tenant()]));
    await expect.poll(async () => (await locks.query()).pending.length).toBe(1);
    host.run(b, release);
    await first;
    expect(await second).toEqual([a, 'later', a]);
  });

  test('in what follows a request that was aborted or stolen by another', async () => {
    const { locks } = host.client(a);
    const controller = new AbortController();
    const holding = host.run(a, () => locks.request('l', () => new Promise(() => undefined)).catch(() => tenant()));
    await expect.poll(async () => (await locks.query()).held.length).toBe(1);
    const waiting = host.run(a, () => locks.request('l', { signal: controller.signal }, () => 1).catch(() => tenant()));
    await expect.poll(async () => (await locks.query()).pending.length).toBe(1);
    host.run(b, () => controller.abort());
    expect(await waiting).toBe(a);
    await host.run(b, () => locks.request('l', { steal: true }, () => undefined));
    expect(await holding).toBe(a);
  });

  test('in an observer, though another tenant changes the file', async () => {
    const [mine, other] = [host.client(a), host.client(a)];
    const root = await mine.storage.getDirectory();
    const seen = new Promise<string>((resolve) => {
      const observer = host.run(a, () => new FileSystemObserver(() => resolve(tenant())));
      atEnd(() => observer.disconnect());
      void host.run(b, () => observer.observe(root)).then(() =>
        host.run(b, async () => (await other.storage.getDirectory()).getFileHandle('new', { create: true })),
      );
    });
    expect(await seen).toBe(a);
  });
});

describe('what tenants share', () => {
  test('objects keep the client that they came from, wherever they are used', () => {
    const storage = host.run(a, () => globals.localStorage);
    expect(host.run(b, () => storage.getItem('tenant'))).toBe(a);
  });

  test('a visitor’s run has the visitor’s sessionStorage', () => {
    const visitor = host.client(a);
    visitor.sessionStorage.setItem('who', 'visitor');
    const read = (): unknown => (globals as unknown as { sessionStorage: Storage }).sessionStorage.getItem('who');
    expect(host.run(visitor, read)).toBe('visitor');
    expect(host.run(a, read)).toBeNull();
  });

  test('the contexts of others are kept as well', async () => {
    const requests = new AsyncLocalStorage<string>();
    const client = host.client(a);
    const seen = new Promise((resolve) => {
      requests.run('mine', () => client.addEventListener('storage', () => resolve(requests.getStore())));
    });
    requests.run('another', () => host.client(a).localStorage.setItem('k', 'v'));
    expect(await seen).toBe('mine');
  });

  test('nothing, for a tenant without a run', () => {
    const { message } = thrownBy(() => globals.localStorage);
    expect(message).toContain('run');
  });
});
