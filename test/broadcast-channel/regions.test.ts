import { describe, expect, test } from 'vitest';
import type { Hub } from '../../src/sync/hub.ts';
import type { SyncOptions } from '../../src/index.ts';
import { temporaryDirectory } from '../host/support.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { hearing, linked, LOG, ORIGIN, type Region, regionOf } from './spanning.ts';
import { until } from './until.ts';

function region(engine: MemoryEngine, name: string, root = temporaryDirectory(), options: Partial<SyncOptions> = {}): Region {
  return regionOf(memoryHub(engine), name, root, options);
}

describe('channels over a hub', () => {
  test('reach every channel of all regions but the sender, once, in one order', async () => {
    const engine = new MemoryEngine();
    const regions = ['eu', 'us', 'ap'].map((name) => region(engine, name));
    await linked(...regions);
    const listeners = regions.flatMap(({ open }) => [hearing(open('a')), hearing(open('a'))]);
    const posters = regions.map(({ open }) => open('a'));
    const own = posters.map(hearing);
    for (let n = 0; n < 100; n += 1) {
      for (const [who, poster] of posters.entries()) poster.postMessage([who, n]);
      if (n % 7 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await until(() => listeners.every(({ length }) => length >= 300) && own.every(({ length }) => length >= 200));
    for (const heard of listeners) expect(heard).toEqual(listeners[0]);
    for (const [who, heard] of own.entries()) expect(heard).toEqual(listeners[0]?.filter((data) => (data as number[])[0] !== who));
    for (const who of [0, 1, 2]) {
      expect(listeners[0]?.filter((data) => (data as number[])[0] === who).map((data) => (data as number[])[1])).toEqual(Array.from({ length: 100 }, (_, n) => n));
    }
  });

  test('are heard after no more trips to the hub than a storage event: one to append, one to read', async () => {
    const engine = new MemoryEngine();
    const trips: Record<'eu' | 'us', Trip[]> = { eu: [], us: [] };
    const regions = { eu: regionOf(watchedHub(engine, trips.eu), 'eu'), us: regionOf(watchedHub(engine, trips.us), 'us') };
    const { eu, us } = regions;
    await linked(eu, us);
    const [near, far] = [eu.host.origin(ORIGIN), us.host.origin(ORIGIN)];
    await Promise.all([near.sync?.caughtUp(), far.sync?.caughtUp()]);
    /** Of the trips until it was heard: those up to the append, and those of whoever hears it. */
    const tripsOf = async (log: string, act: () => void, heard: () => Promise<unknown>): Promise<unknown> => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      for (const each of [trips.eu, trips.us]) each.length = 0;
      const told = heard().then(() => callsTo(log, trips.us));
      act();
      const there = await told;
      const here = callsTo(log, trips.eu);
      return { here: here.slice(0, here.indexOf('append') + 1), there };
    };
    const [poster, listener] = [eu.open('a'), us.open('a')];
    const post = (): Promise<unknown> => tripsOf(LOG, () => poster.postMessage(1), () => new Promise((resolve) => (listener.onmessage = resolve)));
    const store = (value: string): Promise<unknown> =>
      tripsOf(ORIGIN, () => near.localStorage.setItem('k', value), () => new Promise((resolve) => far.addEventListener('storage', resolve, { once: true })));
    // On a busy machine a trip from before may still be under way at the first.
    await expect.poll(post).toEqual({ here: ['append'], there: ['read'] });
    let stored = 0;
    await expect.poll(() => store(`${(stored += 1)}`)).toEqual({ here: ['append'], there: expect.arrayContaining(['read']) as unknown });
  });

  test('carry values whole, and messages larger than an entry; what is too large stays in its region, in its place', async () => {
    const engine = new MemoryEngine({ maxEntryBytes: 2 ** 12 });
    const [eu, us] = [region(engine, 'eu'), region(engine, 'us')];
    await linked(eu, us);
    const [near, far] = [hearing(eu.open('a')), hearing(us.open('a'))];
    const poster = eu.open('a');
    const value = { map: new Map([[1, new Date(5)]]), bytes: new Uint8Array(100_000).fill(7) };
    poster.postMessage(value);
    poster.postMessage('x'.repeat(2 ** 24));
    poster.postMessage('last');
    await until(() => near.length === 3 && far.length === 2);
    expect(far).toEqual([value, 'last']);
    expect(near[0]).toEqual(value);
    expect(near.map((each) => (typeof each === 'string' ? each.length : 0))).toEqual([0, 2 ** 24, 4]);
  });

  test('are delivered in their region while the hub is away, and never sent', async () => {
    const engine = new MemoryEngine();
    const [eu, us] = [region(engine, 'eu'), region(engine, 'us')];
    await linked(eu, us);
    const [near, far] = [hearing(eu.open('a')), hearing(us.open('a'))];
    const [poster, answering] = [eu.open('a'), us.open('a')];
    engine.away = true;
    for (let n = 0; n < 3; n += 1) poster.postMessage(n);
    await until(() => near.length === 3);
    engine.away = false;
    await linked(eu, us);
    poster.postMessage('again');
    answering.postMessage('and back');
    await until(() => [near, far].every((heard) => heard.includes('again') && heard.includes('and back')));
    expect(near.slice(0, 3)).toEqual([0, 1, 2]);
    expect(near.slice(3).filter((each) => each !== 'error').sort()).toEqual(['again', 'and back']);
    expect(far.filter((each) => each !== 'error').sort()).toEqual(['again', 'and back']);
  });

  test('a region that was cut off alone gets nothing old, and one messageerror on each channel', async () => {
    const engine = new MemoryEngine();
    const cut = new MemoryEngine();
    const [eu, us] = [region(engine, 'eu'), regionOf(cuttableHub(engine, cut), 'us')];
    await linked(eu, us);
    const heard = hearing(us.open('a'));
    cut.away = true;
    const poster = eu.open('a');
    const near = hearing(eu.open('a'));
    for (let n = 0; n < 10; n += 1) poster.postMessage(n);
    await until(() => near.length === 10);
    expect(heard).toEqual([]);
    cut.away = false;
    await until(() => {
      poster.postMessage('new');
      return heard.includes('new');
    });
    expect(heard.filter((each) => each !== 'new')).toEqual(['error']);
    expect(heard[0]).toBe('error');
  });

  test('never meet those of other origins, nor reach where they were not asked for', async () => {
    const engine = new MemoryEngine();
    const [eu, us, ap] = [region(engine, 'eu'), region(engine, 'us'), region(engine, 'ap', temporaryDirectory(), { broadcast: false })];
    await linked(eu, us);
    const stranger = hearing(us.open('a', 'https://other.example'));
    const apart = hearing(ap.open('a'));
    const heard = hearing(us.open('a'));
    const own = hearing(ap.open('own'));
    eu.open('a').postMessage(1);
    ap.open('own').postMessage('within');
    await until(() => heard.length === 1 && own.length === 1);
    expect([stranger, apart]).toEqual([[], []]);
  });

  test('go on through entries that make no sense, which are told of', async () => {
    const engine = new MemoryEngine();
    const [eu, us] = [region(engine, 'eu'), region(engine, 'us')];
    await linked(eu, us);
    const heard = hearing(us.open('a'));
    const hub = memoryHub(engine).log(LOG);
    for (const bytes of [new Uint8Array(0), new Uint8Array([1, 2, 3]), new Uint8Array(5000).fill(255)]) {
      await hub.append([{ id: crypto.randomUUID(), bytes }]);
    }
    eu.open('a').postMessage('on');
    await until(() => heard.length === 1);
    expect(heard).toEqual(['on']);
    expect(us.host.origin(ORIGIN).sync?.status().problem).toMatch(/Entry \d+ of the log .* makes no sense/);
  });

  test('what a process of a root posts is sent by another, and goes on when that one closes', async () => {
    const engine = new MemoryEngine();
    const root = temporaryDirectory();
    const first = region(engine, 'eu', root);
    await linked(first);
    const second = region(engine, 'eu', root);
    const us = region(engine, 'us');
    await linked(second, us);
    const heard = hearing(us.open('a'));
    const poster = second.open('a');
    poster.postMessage('by the first');
    await until(() => heard.length === 1);
    await first.host.close();
    await until(() => {
      poster.postMessage('by itself');
      return heard.length > 1;
    });
    expect(new Set(heard)).toEqual(new Set(['by the first', 'by itself']));
  });

  test('the last words of a host that closes are heard elsewhere', async () => {
    const engine = new MemoryEngine();
    const [eu, us] = [region(engine, 'eu'), region(engine, 'us')];
    await linked(eu, us);
    const heard = hearing(us.open('a'));
    eu.open('a').postMessage('bye');
    await eu.host.close();
    await until(() => heard.length === 1);
    expect(heard).toEqual(['bye']);
  });
});

interface Trip {
  readonly log: string;
  readonly call: string;
}

function callsTo(log: string, trips: readonly Trip[]): string[] {
  return trips.filter((trip) => trip.log === log).map(({ call }) => call);
}

/** A client of a hub that notes what is asked of which log. */
function watchedHub(engine: MemoryEngine, trips: Trip[]): Hub {
  const hub = memoryHub(engine);
  return {
    name: 'watched',
    connect: () => hub.connect(),
    close: () => hub.close(),
    log: (name) =>
      new Proxy(hub.log(name), {
        get(target, key) {
          const value: unknown = Reflect.get(target, key);
          if (typeof value !== 'function' || key === 'subscribe') return typeof value === 'function' ? value.bind(target) as unknown : value;
          return (...args: unknown[]): unknown => {
            trips.push({ log: name, call: String(key) });
            return Reflect.apply(value, target, args);
          };
        },
      }),
  };
}

/** A client of a hub that can be cut off by itself. */
function cuttableHub(engine: MemoryEngine, cut: MemoryEngine): Hub {
  const [real, gate] = [memoryHub(engine), memoryHub(cut)];
  return {
    name: 'cuttable',
    connect: () => real.connect(),
    close: () => real.close(),
    log(name) {
      const log = real.log(name);
      return new Proxy(log, {
        get(target, key) {
          const value: unknown = Reflect.get(target, key);
          if (typeof value !== 'function') return value;
          const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
          return key === 'subscribe' ? call : async (...args: unknown[]) => {
            await gate.connect();
            return call(...args);
          };
        },
      });
    },
  };
}
