import { createSecretKey, generateKeyPairSync, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { StorageHost } from '../../src/index.ts';
import type * as Timers from '../../src/runtime/timers.ts';
import type { EncryptionOptions, KeyManagement } from '../../src/host/encryption/options.ts';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import { temporaryDirectory } from '../journal/support/place.ts';

// What gives keys fails in every way: each is an error that says so, what is open goes on, and nothing is written.

const ORIGIN = 'https://a.example';
const key = Uint8Array.from(randomBytes(32));
const BOUND_MS = 10_000;

/** What is to be called when the bound for keys is over. */
const bounds = vi.hoisted(() => new Set<() => void>());

vi.mock('../../src/runtime/timers.ts', async (original) => {
  const timers = await original<typeof Timers>();
  const setTimeout = (callback: () => void, milliseconds: number): unknown => {
    if (milliseconds !== BOUND_MS) return timers.setTimeout(callback, milliseconds);
    bounds.add(callback);
    return callback;
  };
  const clearTimeout = (timer: unknown): void => {
    if (!bounds.delete(timer as () => void)) timers.clearTimeout(timer as NodeJS.Timeout);
  };
  return { ...timers, setTimeout, clearTimeout };
});

// The setup of all tests has loaded much of it already, with timers of its own.
vi.resetModules();
await import('../support/parts.ts');
await import('../../src/host/broadcast-channel/provided.ts');
const { StorageHost: Host } = await import('../../src/index.ts');
const { codeBehind, codeLater, snapshotOf } = await import('./support.ts');

const hosts: StorageHost[] = [];

function open(root: string, encryption: EncryptionOptions): StorageHost {
  const host = new Host({ root, encryption });
  hosts.push(host);
  return host;
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
  expect(bounds.size).toBe(0);
});

/** Ten seconds later: as soon as so many wait for a key. */
async function passTime(waiting: number): Promise<void> {
  await vi.waitFor(() => expect(bounds.size).toBe(waiting), { timeout: 30_000 });
  for (const callback of bounds) callback();
}

/** A promise that somebody else settles. */
function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let settle: (value: T) => void = () => undefined;
  const promise = new Promise<T>((resolve) => (settle = resolve));
  return { promise, resolve: settle };
}

const never = (): Promise<never> => new Promise(() => undefined);

/** A service that is there, or away, as is said. */
class Service implements KeyManagement {
  isAway = false;

  async wrap(bytes: Uint8Array): Promise<Uint8Array> {
    return this.isAway ? never() : bytes.map((byte) => byte ^ 0x5a);
  }

  unwrap(bytes: Uint8Array): Promise<Uint8Array> {
    return this.wrap(bytes);
  }
}

describe('a key that does not come', () => {
  test.each<[string, EncryptionOptions]>([
    ['keyFor', { keyFor: never }],
    ['kms', { kms: { wrap: never, unwrap: never } }],
    ['store', { key, store: { get: never, put: never, delete: never } }],
  ])('of %s is waited for ten seconds, and nothing is written', async (_, encryption) => {
    const root = temporaryDirectory();
    const host = open(root, encryption);
    const client = host.origin(ORIGIN);
    const waiting = [
      host.unlock(ORIGIN),
      client.locks.request('l', () => undefined),
      client.storage.estimate(),
      client.caches.open('c'),
      client.storageBuckets.open('b'),
      client.storage.getDirectory().then((directory) => directory.getFileHandle('f', { create: true })),
    ].map(codeLater);
    expect(codeBehind(() => client.localStorage)).toBe('key-pending');
    expect(codeBehind(() => new client.BroadcastChannel('c'))).toBe('key-pending');
    await vi.waitFor(() => expect(bounds.size).toBeGreaterThan(0), 30_000);
    let isOver = false;
    const codes = Promise.all(waiting).finally(() => (isOver = true));
    // What comes to wait in a later turn has a bound of its own.
    while (!isOver) {
      for (const callback of [...bounds]) callback();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await codes).toEqual(waiting.map(() => 'key-pending'));
    expect(fs.readdirSync(root)).toEqual([]);
  });

  test('is used as soon as it is there, by whoever has waited in vain too', async () => {
    const { promise, resolve } = deferred<Uint8Array>();
    const host = open(temporaryDirectory(), { keyFor: () => promise });
    const late = codeLater(host.unlock(ORIGIN));
    await passTime(1);
    expect(await late).toBe('key-pending');
    const next = host.unlock(ORIGIN);
    resolve(key);
    await next;
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
    expect(host.origin(ORIGIN).localStorage.getItem('k')).toBe('v');
  });

  test('leaves what is open, and other origins, as they are', async () => {
    const root = temporaryDirectory();
    const kms = new Service();
    const host = open(root, { kms });
    await host.unlock(ORIGIN);
    const { localStorage, locks, caches } = host.origin(ORIGIN);
    localStorage.setItem('k', 'v');
    kms.isAway = true;
    const other = codeLater(host.unlock('https://b.example'));
    localStorage.setItem('k', 'still');
    expect(await locks.request('l', () => 'held')).toBe('held');
    await (await caches.open('c')).put(`${ORIGIN}/x`, new Response('still'));
    await passTime(1);
    expect(await other).toBe('key-pending');
    expect(localStorage.getItem('k')).toBe('still');
    expect(fs.readdirSync(path.join(root, 'origins'))).toEqual(['https_a.example']);
    const newcomer = open(root, { kms });
    const waiting = codeLater(newcomer.unlock(ORIGIN));
    await passTime(1);
    expect(await waiting).toBe('key-pending');
    kms.isAway = false;
    await open(root, { kms }).unlock(ORIGIN);
    // Nobody has to be started anew: what was never answered is asked again.
    for (const each of [host, newcomer]) await each.unlock(ORIGIN);
    await host.unlock('https://b.example');
  });

  test('of keyFor is asked for again', async () => {
    let count = 0;
    const host = open(temporaryDirectory(), { keyFor: () => (count++ === 0 ? never() : Promise.resolve(key)) });
    const late = codeLater(host.unlock(ORIGIN));
    await passTime(1);
    expect(await late).toBe('key-pending');
    await host.unlock(ORIGIN);
    expect(count).toBe(2);
  });

  test('of a store keeps the origin from being opened, and deleted, and changes nothing', async () => {
    const root = temporaryDirectory();
    const entries = new Map<string, Uint8Array>();
    const store = { get: (name: string) => entries.get(name), put: (name: string, bytes: Uint8Array) => entries.set(name, bytes), delete: (name: string): unknown => entries.delete(name) };
    const host = open(root, { key, store });
    await host.unlock(ORIGIN);
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
    const before = snapshotOf(root);
    const newcomer = open(root, { key, store: { ...store, get: never } });
    const waiting = codeLater(newcomer.unlock(ORIGIN));
    await passTime(1);
    expect(await waiting).toBe('key-pending');
    const deleting = codeLater(open(root, { key, store: { ...store, delete: never } }).deleteOrigin(ORIGIN));
    await passTime(1);
    expect(await deleting).toBe('key-pending');
    expect(snapshotOf(root)).toEqual(before);
    expect(host.origin(ORIGIN).localStorage.getItem('k')).toBe('v');
  });
});

describe('what gives keys and', () => {
  test('throws is named by a code, never by what it said', async () => {
    const said = 'password=hunter2';
    for (const keyFor of [
      () => {
        throw new Error(said);
      },
      () => Promise.reject(new Error(said)),
      () => {
        throw said;
      },
    ] as EncryptionOptions['keyFor'][]) {
      const root = temporaryDirectory();
      const host = open(root, { keyFor });
      const failure: unknown = await host.unlock(ORIGIN).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'key-missing' });
      expect((failure as Error).message).not.toContain(said);
      expect(fs.readdirSync(root)).toEqual([]);
    }
  });

  test('fails is named to who cannot wait too, once it is known, until there is a key', async () => {
    let isAway = true;
    const kms = new Service();
    const source = <T>(given: T): Promise<T> => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(given));
    const providers = [
      { keyFor: () => source(key) },
      { kms: { wrap: (bytes: Uint8Array) => source(bytes).then(() => kms.wrap(bytes)), unwrap: kms.unwrap.bind(kms) } },
      { key, store: { get: () => source(undefined), put: () => source(undefined), delete: () => source(undefined) } },
    ];
    for (const encryption of providers) {
      isAway = true;
      const host = open(temporaryDirectory(), encryption);
      const client = host.origin(ORIGIN);
      expect(codeBehind(() => client.localStorage)).toBe('key-pending');
      expect(await codeLater(host.unlock(ORIGIN))).toBe('key-missing');
      expect(codeBehind(() => client.localStorage)).toBe('key-missing');
      expect(codeBehind(() => new client.BroadcastChannel('c'))).toBe('key-missing');
      expect(codeBehind(() => client.transaction(() => undefined))).toBe('key-missing');
      isAway = false;
      if ('store' in encryption) continue;
      // Who looked has asked, and may have been refused just then.
      await vi.waitFor(() => host.unlock(ORIGIN));
      client.localStorage.setItem('k', 'v');
      new client.BroadcastChannel('c').close();
    }
  });

  test('gives another key later opens nothing with it, and changes nothing', async () => {
    const root = temporaryDirectory();
    open(root, { key }).origin(ORIGIN).localStorage.setItem('k', 'v');
    const before = snapshotOf(root);
    for (const encryption of [{ keyFor: () => randomBytes(32) }, { keyFor: async () => randomBytes(32) }, { kms: new Service() }]) {
      const host = open(root, encryption);
      expect(await codeLater(host.unlock(ORIGIN))).toBe('key-wrong');
      expect(await codeLater(host.origin(ORIGIN).locks.request('l', () => undefined))).toBe('key-wrong');
    }
    expect(snapshotOf(root)).toEqual(before);
  });

  test('gives no key is told what a key is', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const wrong: unknown[] = [new Uint8Array(16), new Uint8Array(33), new Uint8Array(0), new ArrayBuffer(32), 'x'.repeat(32), undefined, null, 7, {}, new DataView(new ArrayBuffer(32)), new Uint16Array(16), createSecretKey(Buffer.alloc(16)), privateKey];
    for (const given of wrong) {
      for (const encryption of [{ keyFor: () => given }, { keyFor: async () => given }, { key: given }] as EncryptionOptions[]) {
        const root = temporaryDirectory();
        const code = await codeLater(Promise.resolve().then(() => open(root, encryption).unlock(ORIGIN)));
        expect(code, String(given)).toBe('bad-option');
        expect(fs.readdirSync(root)).toEqual([]);
      }
    }
  });

  test('gives what is nearly a key is told what it gave', async () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const nearly: readonly (readonly [unknown, string])[] = [[null, 'null'], [createSecretKey(Buffer.alloc(16)), 'a secret of 16 bytes'], [privateKey, 'a private key'], [new Uint16Array(16), 'Uint16Array'], [new ArrayBuffer(32), 'ArrayBuffer']];
    for (const [given, what] of nearly) {
      await expect(open(temporaryDirectory(), { keyFor: async () => given as Uint8Array }).unlock(ORIGIN)).rejects.toThrow(`not ${what}.`);
    }
  });

  test('wraps a key to nothing, to itself or to too much is refused', async () => {
    const wraps: ((bytes: Uint8Array) => unknown)[] = [(bytes) => bytes, (bytes) => Buffer.concat([Buffer.from('wrapped '), bytes]), () => new Uint8Array(0), () => new Uint8Array(16_385), () => 'wrapped', () => null];
    for (const wrap of wraps) {
      const root = temporaryDirectory();
      const kms = { wrap: (bytes: Uint8Array) => wrap(bytes) as Uint8Array, unwrap: (bytes: Uint8Array) => bytes };
      expect(await codeLater(open(root, { kms }).unlock(ORIGIN))).toBe('bad-option');
      expect(fs.readdirSync(root)).toEqual([]);
    }
  });

  test('does not unwrap what it has wrapped is refused before anything is encrypted, or wrapped anew', async () => {
    const service = new Service();
    const page = Buffer.from('<html>who are you?</html>');
    for (const [wrap, unwrap, code] of [
      [() => page, () => Promise.reject(new Error('denied')), 'key-missing'],
      [() => page, () => randomBytes(32), 'bad-option'],
      [() => page, (bytes) => service.unwrap(bytes), 'bad-option'],
    ] as readonly [KeyManagement['wrap'], KeyManagement['unwrap'], string][]) {
      const root = temporaryDirectory();
      expect(await codeLater(open(root, { kms: { wrap, unwrap } }).unlock(ORIGIN))).toBe(code);
      expect(fs.readdirSync(root)).toEqual([]);
      open(root, { key }).origin(ORIGIN).localStorage.setItem('k', 'v');
      const before = snapshotOf(root);
      expect(await codeLater(open(root, { kms: { wrap, unwrap }, previous: [key] }).rekey(ORIGIN))).toBe(code);
      expect(snapshotOf(root)).toEqual(before);
    }
  });

  test('gave another key is asked again by who can wait, and by nobody else', async () => {
    const root = temporaryDirectory();
    const service = new Service();
    const made = open(root, { kms: service });
    await made.unlock(ORIGIN);
    made.origin(ORIGIN).localStorage.setItem('k', 'v');
    const keyed = temporaryDirectory();
    open(keyed, { key }).origin(ORIGIN).localStorage.setItem('k', 'v');
    const entries = new Map<string, Uint8Array>();
    const store = { get: (name: string) => entries.get(name), put: (name: string, bytes: Uint8Array) => entries.set(name, bytes), delete: (name: string): unknown => entries.delete(name) };
    const stored = temporaryDirectory();
    const first = open(stored, { key, store });
    await first.unlock(ORIGIN);
    first.origin(ORIGIN).localStorage.setItem('k', 'v');
    let isRight = false;
    let count = 0;
    const give = (): Uint8Array => ((count += 1), isRight ? key : randomBytes(32));
    const unwrap = (bytes: Uint8Array): Uint8Array | Promise<Uint8Array> => ((count += 1), isRight ? service.unwrap(bytes) : randomBytes(32));
    for (const [of, encryption] of [
      [keyed, { keyFor: give }],
      [keyed, { keyFor: async () => give() }],
      [stored, { keyFor: async () => give(), store }],
      [root, { kms: { wrap: (bytes) => service.wrap(bytes), unwrap } }],
      [root, { key, previous: [{ unwrap }] }],
    ] as readonly [string, EncryptionOptions][]) {
      isRight = false;
      count = 0;
      const host = open(of, encryption);
      expect(await codeLater(host.unlock(ORIGIN))).toBe('key-wrong');
      if (of !== stored) expect(codeBehind(() => host.origin(ORIGIN).localStorage)).toBe('key-wrong');
      expect(count).toBe(1);
      isRight = true;
      await host.unlock(ORIGIN);
      expect(host.origin(ORIGIN).localStorage.getItem('k')).toBe('v');
      expect(count).toBe(2);
    }
  });

  test('unwraps to something else is refused, and nothing is changed', async () => {
    const root = temporaryDirectory();
    const service = new Service();
    const host = open(root, { kms: service });
    await host.unlock(ORIGIN);
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
    const before = snapshotOf(root);
    for (const [unwrap, code] of [
      [() => randomBytes(32), 'key-wrong'],
      [() => randomBytes(16), 'bad-option'],
      [() => 'k'.repeat(32), 'bad-option'],
      [() => Promise.reject(new Error('denied')), 'key-missing'],
    ] as const) {
      expect(await codeLater(open(root, { kms: { wrap: (bytes) => service.wrap(bytes), unwrap: unwrap as KeyManagement['unwrap'] } }).unlock(ORIGIN))).toBe(code);
    }
    expect(snapshotOf(root)).toEqual(before);
  });
});

describe('a file of keys that is', () => {
  const damages: Record<string, (file: string, bytes: Buffer) => void> = {
    empty: (file) => fs.writeFileSync(file, ''),
    'cut short': (file, bytes) => fs.writeFileSync(file, bytes.subarray(0, 100)),
    'longer than any': (file) => fs.writeFileSync(file, Buffer.alloc(40_000, 1)),
    'changed in one byte': (file, bytes) => {
      bytes[90] = (bytes[90] ?? 0) ^ 1;
      fs.writeFileSync(file, bytes);
    },
    'changed, with its checksum repaired': (file, bytes) => {
      bytes[90] = (bytes[90] ?? 0) ^ 1;
      bytes.writeUInt32LE(crc32(bytes, 0, bytes.length - 4), bytes.length - 4);
      fs.writeFileSync(file, bytes);
    },
    'a directory': (file) => {
      fs.rmSync(file);
      fs.mkdirSync(file);
    },
    'a link': (file, bytes) => {
      fs.writeFileSync(`${file}.elsewhere`, bytes);
      fs.rmSync(file);
      fs.symlinkSync(`${file}.elsewhere`, file);
    },
  };

  async function refused(root: string, code: string): Promise<void> {
    const before = snapshotOf(root);
    const client = open(root, { key }).origin(ORIGIN);
    expect(codeBehind(() => client.localStorage)).toBe(code);
    expect(await codeLater(client.locks.request('l', () => undefined))).toBe(code);
    expect(await codeLater(client.caches.open('c'))).toBe(code);
    expect(await codeLater(client.storage.getDirectory().then((directory) => directory.getFileHandle('f', { create: true })))).toBe(code);
    expect(snapshotOf(root)).toEqual(before);
  }

  test.each(Object.keys(damages))('%s is an error, and nothing is changed', async (what) => {
    const root = temporaryDirectory();
    open(root, { key }).origin(ORIGIN).localStorage.setItem('k', 'v');
    const file = path.join(root, 'origins/https_a.example/keys');
    damages[what]?.(file, fs.readFileSync(file));
    await refused(root, 'keys-damaged');
  });

  test('missing is no plain origin, whoever has a key or none', async () => {
    const root = temporaryDirectory();
    open(root, { key }).origin(ORIGIN).localStorage.setItem('k', 'v');
    fs.rmSync(path.join(root, 'origins/https_a.example/keys'));
    await refused(root, 'key-missing');
    const before = snapshotOf(root);
    const plain = new Host({ root });
    hosts.push(plain);
    expect(codeBehind(() => plain.origin(ORIGIN).localStorage.getItem('k'))).toBe('key-missing');
    expect(snapshotOf(root)).toEqual(before);
  });

  test('of the same origin in another root opens, and none of the records', async () => {
    const [root, other] = [temporaryDirectory(), temporaryDirectory()];
    for (const each of [root, other]) open(each, { key }).origin(ORIGIN).localStorage.setItem('k', each);
    fs.copyFileSync(path.join(other, 'origins/https_a.example/keys'), path.join(root, 'origins/https_a.example/keys'));
    const before = snapshotOf(root);
    expect(codeBehind(() => open(root, { key }).origin(ORIGIN).localStorage.getItem('k'))).toBe('journal-damaged');
    expect(snapshotOf(root)).toEqual(before);
  });
});
