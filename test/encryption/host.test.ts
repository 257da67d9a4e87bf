import { createSecretKey, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { inspect } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import '../../src/host/broadcast-channel/provided.ts';
import { StorageHost, type StorageHostOptions } from '../../src/index.ts';
import type { EncryptionOptions } from '../../src/host/encryption/options.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { codeBehind, codeLater, snapshotOf, treeHas } from './support.ts';

const ORIGIN = 'https://a.example';
const key = Uint8Array.from(randomBytes(32));
const hosts: StorageHost[] = [];

function open(root: string, encryption: EncryptionOptions | undefined = { key }, more: Partial<StorageHostOptions> = {}): StorageHost {
  const host = new StorageHost({ root, ...more, ...(encryption && { encryption }) });
  hosts.push(host);
  return host;
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

describe('an encrypted origin', () => {
  test('keeps what is written, for every host with its key, and shows nothing of it', async () => {
    const root = temporaryDirectory();
    const one = open(root).client(ORIGIN, { url: `${ORIGIN}/canary-of-the-url` });
    one.localStorage.setItem('canary-of-the-key', 'canary-of-the-value ü€');
    one.localStorage.setItem('ünïcode-canary-€', 'x'.repeat(70_000) + 'canary-at-the-end');
    one.localStorage.setItem('removed-canary', '1');
    one.localStorage.removeItem('removed-canary');
    await one.locks.request('canary-of-the-lock', () => undefined);
    await one.locks.request('canary-held', { mode: 'shared' }, async () => {
      const { held } = await open(root).origin(ORIGIN).locks.query();
      expect(held?.map(({ name }) => name)).toEqual(['canary-held']);
    });
    await one.storage.estimate();
    const other = open(root, { key: createSecretKey(key) }).origin(ORIGIN).localStorage;
    expect(other.getItem('canary-of-the-key')).toBe('canary-of-the-value ü€');
    expect(other.length).toBe(2);
    for (const canary of ['canary', 'ünïcode', 'xxxxxxxx']) expect(treeHas(root, canary)).toEqual([]);
    expect(treeHas(root, Buffer.from(key))).toEqual([]);
  });

  test('tells other clients of changes', async () => {
    const root = temporaryDirectory();
    const [one, other] = [open(root).origin(ORIGIN), open(root).origin(ORIGIN)];
    one.localStorage.setItem('before', '1');
    const heard = new Promise<string | null>((resolve) => other.addEventListener('storage', (event) => resolve((event as { newValue: string | null }).newValue)));
    one.localStorage.setItem('k', 'told');
    expect(await heard).toBe('told');
  });

  test('goes on over compactions', () => {
    const root = temporaryDirectory();
    const [one, other] = [open(root).origin(ORIGIN).localStorage, open(root).origin(ORIGIN).localStorage];
    for (let round = 0; round < 60; round++) one.setItem(`k${round % 7}`, `${round}:`.repeat(20_000));
    expect(other.getItem('k3')?.slice(0, 6)).toBe('59:59:');
    expect(fs.readdirSync(path.join(root, 'origins/https_a.example/default/local-storage')).some((name) => Number(name) > 0)).toBe(true);
  });

  test('in strict mode has its keys synced, and works', () => {
    const root = temporaryDirectory();
    open(root, { key }, { durability: 'strict' }).origin(ORIGIN).localStorage.setItem('k', 'v');
    expect(open(root).origin(ORIGIN).localStorage.getItem('k')).toBe('v');
  });

  test('has keys of its own: two origins with one key have nothing in common', () => {
    const root = temporaryDirectory();
    const host = open(root);
    for (const origin of [ORIGIN, 'https://b.example']) host.origin(origin).localStorage.setItem('k', 'v');
    const place = path.join(root, 'origins');
    fs.rmSync(path.join(place, 'https_b.example'), { recursive: true });
    fs.cpSync(path.join(place, 'https_a.example'), path.join(place, 'https_b.example'), { recursive: true });
    expect(codeBehind(() => open(root).origin('https://b.example').localStorage.getItem('k'))).toBe('key-wrong');
  });
});

describe('before anything is written,', () => {
  test('a wrong key, no key, and a key for what is plain are errors', async () => {
    const root = temporaryDirectory();
    open(root).origin(ORIGIN).localStorage.setItem('k', 'v');
    const before = snapshotOf(root);
    for (const [encryption, code] of [
      [{ key: randomBytes(32) }, 'key-wrong'],
      [{ keyFor: () => Uint8Array.from(randomBytes(32)) }, 'key-wrong'],
      [{ kms: { wrap: (bytes: Uint8Array) => bytes.map((byte) => byte ^ 1), unwrap: (bytes: Uint8Array) => bytes } }, 'key-pending'],
      [{}, 'key-missing'],
    ] as const) {
      const client = open(root, 'key' in encryption || 'keyFor' in encryption || 'kms' in encryption ? (encryption as EncryptionOptions) : (null as never)).origin(ORIGIN);
      expect(codeBehind(() => client.localStorage.getItem('k')), code).toBe(code);
      expect(codeBehind(() => client.localStorage.setItem('k', 'other'))).toBe(code);
      const later = code === 'key-pending' ? 'key-wrong' : code;
      expect(await codeLater(client.locks.request('l', () => undefined))).toBe(later);
      expect(await codeLater(client.storage.estimate())).toBe(later);
      expect(await codeLater(client.storage.getDirectory().then((directory) => directory.getFileHandle('f', { create: true })))).toBe(later);
      if (code === 'key-missing') expect(codeBehind(() => new client.BroadcastChannel('c').postMessage('plain'))).toBe(code);
    }
    expect(snapshotOf(root)).toEqual(before);
  });

  test('a plain origin is refused by a host that encrypts, unless it is to be migrated', async () => {
    const root = temporaryDirectory();
    open(root, null as never).origin(ORIGIN).localStorage.setItem('k', 'v');
    const before = snapshotOf(root);
    const client = open(root).origin(ORIGIN);
    expect(codeBehind(() => client.localStorage)).toBe('not-encrypted');
    expect(await codeLater(client.locks.request('l', () => undefined))).toBe('not-encrypted');
    expect(snapshotOf(root)).toEqual(before);
  });
});

describe('a key that a promise brings', () => {
  test('is waited for by what may wait, and otherwise an error until it is there', async () => {
    const root = temporaryDirectory();
    let asked = 0;
    const encryption = {
      keyFor: async () => {
        asked += 1;
        await Promise.resolve();
        return key;
      },
    };
    const host = open(root, encryption);
    const client = host.origin(ORIGIN);
    expect(codeBehind(() => client.localStorage)).toBe('key-pending');
    await client.locks.request('l', () => undefined);
    client.localStorage.setItem('k', 'v');
    expect(asked).toBe(1);
    const other = open(root, encryption);
    await other.unlock(ORIGIN);
    expect(other.origin(ORIGIN).localStorage.getItem('k')).toBe('v');
  });

  test('that fails is an error without it, and is asked for again', async () => {
    const root = temporaryDirectory();
    let fails = true;
    const secret = 'secret-of-the-provider';
    const host = open(root, { keyFor: () => (fails ? Promise.reject(new Error(secret)) : Promise.resolve(key)) });
    await expect(host.unlock(ORIGIN)).rejects.toMatchObject({ code: 'key-missing' });
    await host.unlock(ORIGIN).catch((error: Error) => expect(error.message).not.toContain(secret));
    expect(fs.readdirSync(root)).toEqual([]);
    fails = false;
    await host.unlock(ORIGIN);
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
  });

  test('and is no key is an error', async () => {
    for (const given of [new Uint8Array(31), 'x'.repeat(32), null, { type: 'secret' }, { type: 'secret', symmetricKeySize: 32, export: () => 'x' }]) {
      await expect(open(temporaryDirectory(), { keyFor: async () => given as Uint8Array }).unlock(ORIGIN)).rejects.toMatchObject({ code: 'bad-option' });
      expect(codeBehind(() => open(temporaryDirectory(), { keyFor: () => given as Uint8Array }).origin(ORIGIN).localStorage)).toBe('bad-option');
    }
  });

  test('may be wrapped by a service, which sees each origin\'s own', async () => {
    const root = temporaryDirectory();
    const wrapped: string[] = [];
    const kms = {
      wrap: async (bytes: Uint8Array, origin: string) => {
        wrapped.push(origin);
        return bytes.map((byte) => byte ^ 0x5a);
      },
      unwrap: async (bytes: Uint8Array) => bytes.map((byte) => byte ^ 0x5a),
    };
    const host = open(root, { kms });
    await host.unlock(ORIGIN);
    expect(fs.readdirSync(root)).toEqual([]);
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
    const other = open(root, { kms });
    expect(codeBehind(() => other.origin(ORIGIN).localStorage)).toBe('key-pending');
    await other.unlock(ORIGIN);
    expect(other.origin(ORIGIN).localStorage.getItem('k')).toBe('v');
    expect(wrapped).toEqual([ORIGIN]);
    await host.deleteOrigin(ORIGIN);
    await host.unlock(ORIGIN);
    host.origin(ORIGIN).localStorage.setItem('k', 'new');
    expect(wrapped).toEqual([ORIGIN, ORIGIN]);
  });
});

test('options that make no sense are refused', () => {
  const root = temporaryDirectory();
  for (const encryption of [{}, { key, keyFor: () => key }, { key: new Uint8Array(16) }, { key: 'k'.repeat(32) }, { key, plain: 'maybe' }, { key, names: 1 }, { key, previous: key }, { kms: {} }, { keyFor: key }, { key, other: 1 }, 7]) {
    expect(codeBehind(() => new StorageHost({ root, encryption: encryption as never })), inspect(encryption)).toBe('bad-option');
  }
});

test('deleting an origin destroys its keys first', async () => {
  const root = temporaryDirectory();
  const host = open(root);
  host.origin(ORIGIN).localStorage.setItem('k', 'v');
  const order: string[] = [];
  const { unlinkSync, renameSync } = fs;
  fs.unlinkSync = (file) => {
    order.push(`unlink ${path.basename(String(file))}`);
    unlinkSync(file);
  };
  fs.renameSync = (from, to) => {
    order.push(`rename ${path.basename(String(from))}`);
    renameSync(from, to);
  };
  try {
    expect(await host.deleteOrigin(ORIGIN)).toBe(true);
  } finally {
    Object.assign(fs, { unlinkSync, renameSync });
  }
  expect(order.slice(0, 2)).toEqual(['unlink keys', 'rename https_a.example']);
  host.origin(ORIGIN).localStorage.setItem('k', 'again');
  expect(open(root).origin(ORIGIN).localStorage.getItem('k')).toBe('again');
});

test('neither a host nor an error shows a key', async () => {
  const root = temporaryDirectory();
  const host = open(root);
  host.origin(ORIGIN).localStorage.setItem('k', 'v');
  const shown = [inspect(host, { depth: 12, showHidden: true }), JSON.stringify(host)];
  try {
    void open(root, { key: randomBytes(32) }).origin(ORIGIN).localStorage;
  } catch (error) {
    shown.push(inspect(error, { depth: 12, showHidden: true }));
  }
  const forms = [Buffer.from(key).toString('hex'), Buffer.from(key).toString('base64'), Array.from(key).join(', ')];
  for (const form of forms) expect(shown.join('\n')).not.toContain(form.slice(0, 40));
});
