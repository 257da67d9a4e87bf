import { AsyncLocalStorage } from 'node:async_hooks';
import { describe, expect, it, vi } from 'vitest';
import type { WebLockTable } from '../../src/disk/locks/lock-table.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { Lock } from '../../src/web-locks/lock.ts';
import type { LockOptions } from '../../src/web-locks/lock-request.ts';
import { createLockManager, LockManager } from '../../src/web-locks/lock-manager.ts';
import { createManagers, createTable } from './tables.ts';

function only(): LockManager {
  const [manager] = createManagers(1);
  if (manager === undefined) throw new Error('no manager');
  return manager;
}

function pair(): [LockManager, LockManager] {
  const [one, two] = createManagers(2);
  if (one === undefined || two === undefined) throw new Error('no managers');
  return [one, two];
}

/** A callback that holds its lock until it is told to end. */
function holding(): { callback: (lock: Lock | null) => Promise<string>; entered: Promise<Lock | null>; end: (value?: string) => void } {
  let enter = (_: Lock | null): void => {};
  let end = (_?: string): void => {};
  const entered = new Promise<Lock | null>((resolve) => (enter = resolve));
  const ended = new Promise<string>((resolve) => (end = (value = 'ended') => resolve(value)));
  return { entered, end, callback: (lock) => (enter(lock), ended) };
}

const call = (manager: LockManager, ...args: unknown[]): Promise<unknown> =>
  Reflect.apply(manager.request, manager, args) as Promise<unknown>;

const until = async (condition: () => Promise<boolean>): Promise<void> => {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 1));
};

describe('request: arguments', () => {
  const callback = (): void => {};
  const signal = new AbortController().signal;
  const cases: [string, unknown[], string][] = [
    ['no argument', [], 'TypeError'],
    ['no callback', ['a'], 'TypeError'],
    ['options instead of a callback', ['a', {}], 'TypeError'],
    ['a callback that is no function', ['a', {}, 1], 'TypeError'],
    ['options that are no object', ['a', 1, callback], 'TypeError'],
    ['an unknown mode', ['a', { mode: 'other' }, callback], 'TypeError'],
    ['a signal that is none', ['a', { signal: { aborted: false } }, callback], 'TypeError'],
    ['null as the signal', ['a', { signal: null }, callback], 'TypeError'],
    ['a symbol as the name', [Symbol(), callback], 'TypeError'],
    ['a reserved name', ['-a', callback], 'NotSupportedError'],
    ['steal with ifAvailable', ['a', { steal: true, ifAvailable: true }, callback], 'NotSupportedError'],
    ['steal of a shared lock', ['a', { steal: true, mode: 'shared' }, callback], 'NotSupportedError'],
    ['a signal with steal', ['a', { steal: true, signal }, callback], 'NotSupportedError'],
    ['a signal with ifAvailable', ['a', { ifAvailable: true, signal }, callback], 'NotSupportedError'],
  ];
  it.each(cases)('rejects %s', async (_, args, name) => {
    await expect(call(only(), ...args)).rejects.toMatchObject({ name });
  });

  it('converts from left to right, options by name', async () => {
    const seen: string[] = [];
    const options = new Proxy({}, { get: (_, key) => void seen.push(String(key)) });
    const name = { toString: () => (seen.push('name'), 'a') };
    await call(only(), name, options, callback);
    expect(seen).toEqual(['name', 'ifAvailable', 'mode', 'signal', 'steal']);
  });

  it('rejects where this is no lock manager', async () => {
    const forged = Object.create(LockManager.prototype) as LockManager;
    await expect(call(forged, 'a', callback)).rejects.toThrow(TypeError);
    await expect(forged.query()).rejects.toThrow(TypeError);
    expect(() => Reflect.construct(LockManager, [])).toThrow('Illegal constructor');
    expect(() => Reflect.construct(Lock, [])).toThrow('Illegal constructor');
  });

  it.each(['', ' ', '\ud800', '\udc00a', '\u0000', '__proto__', 'a'.repeat(10_000)])('keeps the name %j exact', async (name) => {
    const manager = only();
    const held = holding();
    const request = manager.request(name, held.callback);
    expect((await held.entered)?.name).toBe(name);
    expect((await manager.query()).held[0]?.name).toBe(name);
    held.end();
    await request;
  });
});

describe('request: the callback', () => {
  it('never runs within the call', async () => {
    let ran = false;
    const request = only().request('a', () => void (ran = true));
    expect(ran).toBe(false);
    await request;
    expect(ran).toBe(true);
  });

  it('gets a lock with name and mode, and gives the promise its value', async () => {
    const value = await only().request('a', { mode: 'shared' }, (lock) => `${lock?.name} ${lock?.mode}`);
    expect(value).toBe('a shared');
  });

  it.each([
    ['throws', () => { throw new Error('no'); }],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('releases the lock when it %s', async (_, callback) => {
    const manager = only();
    await expect(manager.request('a', callback)).rejects.toThrow('no');
    await expect(manager.request('a', { ifAvailable: true }, (lock) => lock !== null)).resolves.toBe(true);
  });

  it('keeps the lock until what it promised is settled, thenables included', async () => {
    const manager = only();
    let settle = (_: number): void => {};
    const thenable = { then: (resolve: (value: number) => void) => void (settle = resolve) };
    const request = call(manager, 'a', () => thenable);
    await until(async () => (await manager.query()).held.length === 1);
    expect(await manager.request('a', { ifAvailable: true }, (lock) => lock)).toBeNull();
    settle(7);
    expect(await request).toBe(7);
    expect((await manager.query()).held).toEqual([]);
  });

  it('runs in the asynchronous context of its request', async () => {
    const store = new AsyncLocalStorage<string>();
    const table = createTable();
    const manager = createLockManager({ table: () => table, clientId: 'c' });
    const held = holding();
    const first = store.run('first', () => manager.request('a', held.callback));
    const second = store.run('second', () => manager.request('a', () => store.getStore()));
    await held.entered;
    store.run('third', () => held.end());
    await first;
    expect(await second).toBe('second');
  });
});

describe('request: queues', () => {
  it('grants exclusive locks one after the other, in order, among clients', async () => {
    const managers = createManagers(3);
    const order: number[] = [];
    let inside = 0;
    await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        managers[index % 3]?.request('a', async () => {
          expect(++inside).toBe(1);
          order.push(index);
          await Promise.resolve();
          inside--;
        }),
      ),
    );
    expect(order).toEqual(Array.from({ length: 30 }, (_, index) => index));
  });

  it('shares shared locks, but never past an exclusive request that came first', async () => {
    const [one, two] = pair();
    const first = holding();
    const second = holding();
    const requests = [
      one.request('a', { mode: 'shared' }, first.callback),
      two.request('a', { mode: 'shared' }, second.callback),
      one.request('a', () => 'exclusive'),
      two.request('a', { mode: 'shared' }, () => 'shared'),
    ];
    await Promise.all([first.entered, second.entered]);
    const { held, pending } = await one.query();
    expect(held).toEqual([
      { name: 'a', mode: 'shared', clientId: 'client-0' },
      { name: 'a', mode: 'shared', clientId: 'client-1' },
    ]);
    expect(pending).toEqual([
      { name: 'a', mode: 'exclusive', clientId: 'client-0' },
      { name: 'a', mode: 'shared', clientId: 'client-1' },
    ]);
    first.end();
    second.end();
    expect(await Promise.all(requests)).toEqual(['ended', 'ended', 'exclusive', 'shared']);
  });

  it('gives null to ifAvailable when the lock is taken or somebody waits for it', async () => {
    const manager = only();
    const held = holding();
    const requests = [manager.request('a', { mode: 'shared' }, held.callback), manager.request('a', () => 0)];
    await held.entered;
    expect(await manager.request('a', { mode: 'shared', ifAvailable: true }, (lock) => lock)).toBeNull();
    held.end();
    await Promise.all(requests);
    expect(await manager.request('a', { ifAvailable: true }, (lock) => lock)).toBeInstanceOf(Lock);
  });

  it('steals: the holder rejects with AbortError, the queue waits for the thief', async () => {
    const [one, two] = pair();
    const victim = holding();
    const thief = holding();
    const robbed = one.request('a', victim.callback);
    await victim.entered;
    const waiting = one.request('a', () => 'waited');
    const stolen = two.request('a', { steal: true }, thief.callback);
    await expect(robbed).rejects.toMatchObject({ name: 'AbortError' });
    await thief.entered;
    victim.end('too late');
    expect((await two.query()).held).toEqual([{ name: 'a', mode: 'exclusive', clientId: 'client-1' }]);
    thief.end();
    expect(await stolen).toBe('ended');
    expect(await waiting).toBe('waited');
  });
});

describe('request: signals', () => {
  it('rejects with the reason of a signal that is aborted already', async () => {
    const reason = { why: 'because' };
    await expect(only().request('a', { signal: AbortSignal.abort(reason) }, () => {})).rejects.toBe(reason);
  });

  it('leaves the queue when its signal aborts', async () => {
    const manager = only();
    const held = holding();
    const first = manager.request('a', held.callback);
    await held.entered;
    const controller = new AbortController();
    let ran = false;
    const second = manager.request('a', { signal: controller.signal }, () => void (ran = true));
    const third = manager.request('a', () => 'third');
    controller.abort();
    await expect(second).rejects.toMatchObject({ name: 'AbortError' });
    expect((await manager.query()).pending).toHaveLength(1);
    held.end();
    expect([await first, await third, ran]).toEqual(['ended', 'third', false]);
  });

  it('is watched once, however many requests have it, and not after the last of them', async () => {
    const [manager] = createManagers(1);
    const end = new AbortController();
    const calls = [vi.spyOn(end.signal, 'addEventListener'), vi.spyOn(end.signal, 'removeEventListener')];
    const requests = Array.from({ length: 100 }, () => manager?.request('a', { signal: end.signal }, () => 0));
    await Promise.all(requests);
    expect(calls.map((each) => each.mock.calls.length)).toEqual([1, 1]);
  });

  it('ends thousands of requests in many turns of the event loop, in order', async () => {
    const [manager] = createManagers(1);
    const end = new AbortController();
    void manager?.request('a', () => new Promise(() => {}));
    const ended: number[] = [];
    const inTurn: number[] = [];
    const requests = Array.from({ length: 2000 }, async (_, index) => {
      await expect(manager?.request('a', { signal: end.signal }, () => 0)).rejects.toMatchObject({ name: 'AbortError' });
      ended.push(index);
    });
    await vi.waitFor(async () => expect((await manager?.query())?.pending.length).toBe(2000), 30_000);
    end.abort();
    for (let before = 0; ended.length < 2000; before = ended.length) {
      await new Promise((resolve) => setImmediate(resolve));
      inTurn.push(ended.length - before);
    }
    await Promise.all(requests);
    expect(Math.max(...inTurn)).toBeLessThanOrEqual(512);
    expect(ended).toEqual([...ended].sort((a, b) => a - b));
  });

  it('does not run the callback when the signal aborts between grant and callback, and frees the lock', async () => {
    const manager = only();
    await manager.query();
    const controller = new AbortController();
    let ran = false;
    const request = manager.request('a', { signal: controller.signal }, () => void (ran = true));
    controller.abort('now');
    await expect(request).rejects.toBe('now');
    await until(async () => (await manager.query()).held.length === 0);
    expect(ran).toBe(false);
  });

  it('ignores a signal once the lock was granted', async () => {
    const manager = only();
    const held = holding();
    const controller = new AbortController();
    const request = manager.request('a', { signal: controller.signal }, held.callback);
    await held.entered;
    controller.abort();
    held.end();
    expect(await request).toBe('ended');
  });
});

describe('a client that ends', () => {
  it('releases what it holds and leaves the queues; others go on', async () => {
    const [one, two] = pair();
    const held = holding();
    const mine = [one.request('a', held.callback), one.request('a', () => 0)];
    const theirs = two.request('a', () => 'theirs');
    await held.entered;
    LockManager.end(one);
    for (const request of mine) await expect(request).rejects.toMatchObject({ name: 'AbortError' });
    expect(await theirs).toBe('theirs');
    await expect(one.request('a', () => 0)).rejects.toMatchObject({ name: 'InvalidStateError' });
    await expect(one.query()).rejects.toMatchObject({ name: 'InvalidStateError' });
  });
});

describe('before its code is loaded', () => {
  async function freshManager(): Promise<[LockManager, typeof LockManager]> {
    vi.resetModules();
    const module = await import('../../src/web-locks/lock-manager.ts');
    const table = createTable();
    return [module.createLockManager({ table: () => table, clientId: 'c' }), module.LockManager];
  }

  it('a request is what its arguments were at the call, and in its place', async () => {
    const [manager] = await freshManager();
    const options: LockOptions = { mode: 'shared' };
    const order: string[] = [];
    const first = manager.request('a', options, (lock) => void order.push(lock?.mode ?? 'none'));
    options.mode = 'exclusive';
    const pending = manager.query();
    const second = manager.request('a', options, (lock) => void order.push(lock?.mode ?? 'none'));
    expect((await pending).held).toMatchObject([{ name: 'a', mode: 'shared' }]);
    await Promise.all([first, second]);
    expect(order).toEqual(['shared', 'exclusive']);
  });

  it('a request ends with its client', async () => {
    const [manager, { end }] = await freshManager();
    let ran = false;
    const request = manager.request('a', () => void (ran = true));
    end(manager);
    await expect(request).rejects.toMatchObject({ name: 'AbortError' });
    expect(ran).toBe(false);
  });
});

describe('a table that fails', () => {
  it('rejects with what a web page may see, and the cause', async () => {
    const failure = new HoldfastError('disk-full', 'the disk is full');
    const refuse = (): never => { throw failure; };
    const table: WebLockTable = { request: refuse, query: refuse, endClient: () => {} };
    const manager = createLockManager({ table: () => table, clientId: 'c' });
    await expect(manager.request('a', () => 0)).rejects.toMatchObject({ name: 'UnknownError', cause: failure });
    await expect(manager.query()).rejects.toMatchObject({ name: 'UnknownError' });
  });

  it('is loaded again after a load that failed; requests made meanwhile keep their order', async () => {
    const table = createTable();
    let loads = 0;
    const load = async (): Promise<WebLockTable> => {
      if (loads++ === 0) throw new HoldfastError('disk-failed', 'no');
      return table;
    };
    const manager = createLockManager({ table: load, clientId: 'c' });
    await expect(manager.request('a', () => 0)).rejects.toMatchObject({ name: 'UnknownError' });
    const order: number[] = [];
    await Promise.all([1, 2, 3].map((index) => manager.request('a', () => void order.push(index))));
    expect(order).toEqual([1, 2, 3]);
  });
});
