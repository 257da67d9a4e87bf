import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import type { EncryptionOptions, KeyManagement } from '../../src/host/encryption/options.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { codeBehind, codeLater, snapshotOf } from './support.ts';

const ORIGIN = 'https://a.example';
/** Where a generation has the id of its key; docs/FORMAT.md. */
const KEY_OF_JOURNAL = 12;
const KEYS = 'origins/https_a.example/keys';
const [old, fresh, other] = [1, 2, 3].map(() => Uint8Array.from(randomBytes(32))) as [Uint8Array, Uint8Array, Uint8Array];
const hosts: StorageHost[] = [];

function open(root: string, encryption?: EncryptionOptions): StorageHost {
  const host = new StorageHost({ root, ...(encryption && { encryption }) });
  hosts.push(host);
  return host;
}

const both = { key: fresh, previous: [old] };

/** A root with an item and a file of an origin, wrapped with the old key. */
async function rootWith(encryption: EncryptionOptions = { key: old }): Promise<string> {
  const root = temporaryDirectory();
  const host = open(root, encryption);
  const client = host.origin(ORIGIN);
  client.localStorage.setItem('k', 'v');
  const file = await (await client.storage.getDirectory()).getFileHandle('f', { create: true });
  const writable = await file.createWritable();
  await writable.write('content');
  await writable.close();
  await host.close();
  return root;
}

async function contentIn(root: string, encryption: EncryptionOptions): Promise<unknown[]> {
  const client = open(root, encryption).origin(ORIGIN);
  const file = await (await client.storage.getDirectory()).getFileHandle('f');
  return [client.localStorage.getItem('k'), await (await file.getFile()).text()];
}

const codeIn = (root: string, encryption: EncryptionOptions): string => codeBehind(() => open(root, encryption).origin(ORIGIN).localStorage.getItem('k'));

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

/** The ids of the keys of the newest generations of a root's journals. */
function keysOfJournals(root: string): Record<string, number> {
  const bucket = path.join(root, 'origins/https_a.example/default');
  return Object.fromEntries(['local-storage', 'locks', 'quota'].map((name) => {
    const numbers = fs.readdirSync(path.join(bucket, name)).map(Number).filter((number) => !Number.isNaN(number));
    return [name, fs.readFileSync(path.join(bucket, name, String(Math.max(...numbers)))).readUInt32LE(KEY_OF_JOURNAL)];
  }));
}

describe('rekey() with a new data key', () => {
  test('moves journals to it at once, and a file when it is replaced; what is open goes on', async () => {
    const root = await rootWith();
    expect(keysOfJournals(root)).toEqual({ 'local-storage': 1, locks: 1, quota: 1 });
    const client = open(root, { key: old, previous: [fresh] }).origin(ORIGIN);
    const shared = await (await client.storage.getDirectory()).getFileHandle('f');
    client.localStorage.setItem('k', 'before');
    let release = (): void => {};
    let held: Promise<unknown> = Promise.resolve();
    await new Promise<void>((granted) => {
      held = client.locks.request('held', () => new Promise<void>((resolve) => {
        release = resolve;
        granted();
      }));
    });
    const heard = new Promise((resolve) => client.addEventListener('storage', (event) => resolve((event as { newValue: string | null }).newValue)));
    const host = open(root, { key: old, previous: [fresh] });
    expect(await host.rekey(ORIGIN, { dataKey: true })).toBe(true);
    expect(keysOfJournals(root)).toEqual({ 'local-storage': 2, locks: 2, quota: 2 });
    expect((await host.origin(ORIGIN).locks.query()).held?.map(({ name }) => name)).toEqual(['held']);
    release();
    await held;
    expect((await host.origin(ORIGIN).locks.query()).held).toEqual([]);
    host.origin(ORIGIN).localStorage.setItem('k', 'after');
    expect(await heard).toBe('after');
    client.localStorage.setItem('k', 'on');
    expect(await (await shared.getFile()).text()).toBe('content');
    const writable = await shared.createWritable({ keepExistingData: true });
    await writable.write({ type: 'write', position: 7, data: ' and more' });
    await writable.close();
    expect(await contentIn(root, { key: old, previous: [fresh] })).toEqual(['on', 'content and more']);
    expect(keysOfJournals(root)).toEqual({ 'local-storage': 2, locks: 2, quota: 2 });
    // Both at once, and again and again.
    for (let id = 3; id < 6; id += 1) {
      expect(await open(root, both).rekey(ORIGIN, { dataKey: true })).toBe(true);
      expect(keysOfJournals(root)).toEqual({ 'local-storage': id, locks: id, quota: id });
    }
    expect(await contentIn(root, { key: fresh })).toEqual(['on', 'content and more']);
    expect(codeIn(root, { key: old })).toBe('key-wrong');
  });

  test('is finished by the next write where it was killed between keys and journals', async () => {
    const root = await rootWith();
    const host = open(root, both);
    const { writeSync, renameSync } = fs;
    // The keys are replaced, and from there on nothing is written.
    let isReplaced = false;
    fs.renameSync = (from, to) => {
      renameSync(from, to);
      isReplaced ||= path.basename(String(to)) === 'keys';
    };
    fs.writeSync = ((...given: Parameters<typeof writeSync>) => {
      if (isReplaced) throw Object.assign(new Error('killed'), { code: 'EIO' });
      return writeSync(...given);
    }) as typeof writeSync;
    try {
      await expect(host.rekey(ORIGIN, { dataKey: true })).rejects.toMatchObject({ code: 'disk-failed' });
    } finally {
      Object.assign(fs, { writeSync, renameSync });
    }
    expect(keysOfJournals(root)).toEqual({ 'local-storage': 1, locks: 1, quota: 1 });
    expect(await contentIn(root, { key: fresh })).toEqual(['v', 'content']);
    const { localStorage } = open(root, { key: fresh }).origin(ORIGIN);
    localStorage.setItem('k', 'w');
    expect(keysOfJournals(root)['local-storage']).toBe(2);
    expect(await contentIn(root, { key: fresh })).toEqual(['w', 'content']);
  });

  test('takes no other options', async () => {
    const root = await rootWith();
    for (const options of [{ dataKey: 1 }, { other: true }]) await expect(open(root, both).rekey(ORIGIN, options as never)).rejects.toMatchObject({ code: 'bad-option' });
  });
});

describe('rekey()', () => {
  test('wraps the keys anew, and nothing else: from then on the new key is enough, and the old one opens nothing', async () => {
    const root = await rootWith();
    const before = snapshotOf(root);
    const host = open(root, both);
    expect(await host.rekey(ORIGIN)).toBe(true);
    const after = snapshotOf(root);
    expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual([KEYS]);
    expect(Object.keys(after)).toEqual(Object.keys(before));
    expect(await host.rekey(`${ORIGIN}/`)).toBe(false);
    expect(snapshotOf(root)).toEqual(after);
    expect(await contentIn(root, { key: fresh })).toEqual(['v', 'content']);
    expect(await contentIn(root, { key: other, previous: [fresh] })).toEqual(['v', 'content']);
    expect(codeIn(root, { key: old })).toBe('key-wrong');
  });

  test('is not noticed by those who have both keys, be it that they had the origin open', async () => {
    const root = await rootWith();
    const [one, two] = [both, { key: old, previous: [fresh] }].map((encryption) => open(root, encryption).origin(ORIGIN));
    const heard = new Promise((resolve) => two?.addEventListener('storage', (event) => resolve((event as { newValue: string | null }).newValue)));
    expect(await open(root, both).rekey(ORIGIN)).toBe(true);
    one?.localStorage.setItem('k', 'after');
    expect(await heard).toBe('after');
    // Over compactions too, which look at the keys again.
    for (let round = 0; round < 60; round++) two?.localStorage.setItem('big', `${round}:`.repeat(20_000));
    expect(one?.localStorage.getItem('big')?.slice(0, 6)).toBe('59:59:');
    expect(await contentIn(root, { key: fresh })).toEqual(['after', 'content']);
  });

  test('takes the key of each origin from keyFor, and one of a host that has it open', async () => {
    const root = await rootWith({ keyFor: () => old });
    const host = open(root, { keyFor: async () => fresh, previous: [old] });
    await host.unlock(ORIGIN);
    host.origin(ORIGIN).localStorage.setItem('k', 'open');
    expect(await host.rekey(ORIGIN)).toBe(true);
    host.origin(ORIGIN).localStorage.setItem('k', 'after');
    expect(await contentIn(root, { key: fresh })).toEqual(['after', 'content']);
  });

  test('leaves what a KMS has wrapped as it is', async () => {
    const turn = (bytes: Uint8Array): Uint8Array => bytes.map((byte) => byte ^ 0x5a);
    const root = temporaryDirectory();
    const host = open(root, { kms: { wrap: turn, unwrap: turn } });
    await host.unlock(ORIGIN);
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
    const before = snapshotOf(root);
    expect(await open(root, { kms: { wrap: turn, unwrap: turn } }).rekey(ORIGIN)).toBe(false);
    expect(snapshotOf(root)).toEqual(before);
  });

  test('fails before anything is written', async () => {
    const root = await rootWith();
    open(root).origin('https://plain.example').localStorage.setItem('k', 'v');
    const before = snapshotOf(root);
    const codeOf = (host: StorageHost, origin = ORIGIN): Promise<unknown> => host.rekey(origin).then(String, (error: { code: unknown }) => error.code);
    expect(await codeOf(open(root, { key: fresh }))).toBe('key-wrong');
    expect(await codeOf(open(root, { key: fresh, previous: [other] }))).toBe('key-wrong');
    expect(await codeOf(open(root))).toBe('bad-option');
    expect(await codeOf(open(root, both), 'https://nobody.example')).toBe('origin-missing');
    expect(await codeOf(open(root, both), 'https://plain.example')).toBe('not-encrypted');
    expect(await codeOf(open(root, { ...both, plain: 'migrate' }), 'https://plain.example')).toBe('not-encrypted');
    fs.mkdirSync(path.join(root, 'maintenance.lock'));
    expect(await codeOf(open(root, both))).toBe('root-busy');
    fs.rmdirSync(path.join(root, 'maintenance.lock'));
    expect(snapshotOf(root)).toEqual(before);
    const bytes = fs.readFileSync(path.join(root, KEYS));
    bytes[60] = (bytes[60] ?? 0) ^ 1;
    fs.writeFileSync(path.join(root, KEYS), bytes);
    expect(await codeOf(open(root, both))).toBe('keys-damaged');
    expect(fs.readFileSync(path.join(root, KEYS)).equals(bytes)).toBe(true);
  });

  test('does not undo what another one did while this one was paused', async () => {
    const root = await rootWith();
    const host = open(root, both);
    const { fsyncSync } = fs;
    let isDone = false;
    // Once the draft is written, somebody else replaces the keys, as is possible when the lock was taken for one of the dead.
    fs.fsyncSync = (descriptor) => {
      fsyncSync(descriptor);
      if (isDone) return;
      isDone = true;
      const keys = path.join(root, KEYS);
      fs.copyFileSync(keys, `${keys}.2`);
      fs.renameSync(`${keys}.2`, keys);
    };
    try {
      await expect(host.rekey(ORIGIN)).rejects.toMatchObject({ code: 'root-busy' });
    } finally {
      Object.assign(fs, { fsyncSync });
    }
    expect(isDone).toBe(true);
    expect(await contentIn(root, { key: old })).toEqual(['v', 'content']);
    expect(await host.rekey(ORIGIN)).toBe(true);
  });
});

test('a kill at any step of it leaves the old or the new keys, which open with both', async () => {
  const root = await rootWith();
  const copies: string[] = [];
  const keep = (): void => {
    const copy = temporaryDirectory();
    fs.cpSync(root, copy, { recursive: true });
    copies.push(copy);
  };
  const names = ['openSync', 'writeSync', 'fsyncSync', 'renameSync', 'rmSync', 'closeSync'] as const;
  const originals = Object.fromEntries(names.map((name) => [name, fs[name]]));
  const host = open(root, both);
  await host.unlock(ORIGIN);
  let isCopying = false;
  for (const name of names) {
    const original = fs[name] as (...given: unknown[]) => unknown;
    Object.assign(fs, {
      [name]: (...given: unknown[]) => {
        const result = original(...given);
        if (isCopying) return result;
        isCopying = true;
        keep();
        isCopying = false;
        return result;
      },
    });
  }
  try {
    expect(await host.rekey(ORIGIN)).toBe(true);
  } finally {
    Object.assign(fs, originals);
  }
  const opened = { old: 0, fresh: 0 };
  for (const copy of copies) {
    fs.rmSync(path.join(copy, 'maintenance.lock'), { recursive: true, force: true });
    expect(await contentIn(copy, both)).toEqual(['v', 'content']);
    const isOld = codeIn(copy, { key: fresh }) === 'key-wrong';
    expect(codeIn(copy, { key: old })).toBe(isOld ? 'nothing was thrown' : 'key-wrong');
    opened[isOld ? 'old' : 'fresh'] += 1;
    // It is gone on with where it stopped.
    expect(await open(copy, both).rekey(ORIGIN)).toBe(isOld);
    expect(await contentIn(copy, { key: fresh })).toEqual(['v', 'content']);
  }
  expect(opened.old).toBeGreaterThan(3);
  expect(opened.fresh).toBeGreaterThan(1);
});

describe('from a key to a service, to another one, and back', () => {
  /** A service that knows what it has wrapped, and for whom. */
  const serviceOf = (mark: number): KeyManagement => ({
    wrap: async (bytes, origin) => Uint8Array.of(mark, origin.length, ...bytes.map((byte) => byte ^ mark)),
    unwrap: async ([by, length, ...rest], origin) => {
      if (by !== mark || length !== origin.length) throw new Error('another one has wrapped that');
      return Uint8Array.from(rest, (byte) => byte ^ mark);
    },
  });
  const [one, two] = [serviceOf(0x5a), serviceOf(0xa5)] as const;
  const unlocked = async (root: string, encryption: EncryptionOptions): Promise<unknown[]> => {
    const host = open(root, encryption);
    await host.unlock(ORIGIN);
    const client = host.origin(ORIGIN);
    const file = await (await client.storage.getDirectory()).getFileHandle('f');
    return [client.localStorage.getItem('k'), await (await file.getFile()).text()];
  };
  const steps: [string, EncryptionOptions, EncryptionOptions, EncryptionOptions][] = [
    ['a key to a service', { key: old }, { kms: one, previous: [old] }, { kms: one }],
    ['a function to a service', { keyFor: () => old }, { kms: one, previous: [old] }, { kms: one }],
    ['a service to another', { kms: one }, { kms: two, previous: [one] }, { kms: two }],
    ['a service to a key', { kms: one }, { key: fresh, previous: [one] }, { key: fresh }],
    ['a service to a function', { kms: one }, { keyFor: async () => fresh, previous: [other, two, one] }, { keyFor: () => fresh }],
  ];

  test.each(steps)('%s', async (_, before, both, after) => {
    const root = await rootWith('kms' in before ? { key: old } : before);
    if ('kms' in before) await open(root, { ...before, previous: [old] }).rekey(ORIGIN);
    const content = ['v', 'content'];
    expect(await unlocked(root, before)).toEqual(content);
    expect(await codeLater(unlocked(root, after))).toMatch(/^key-(wrong|missing)$/);
    const running = open(root, both);
    await running.unlock(ORIGIN);
    expect(await unlocked(root, both)).toEqual(content);
    expect(await running.rekey(ORIGIN)).toBe(true);
    expect(await running.rekey(ORIGIN)).toBe(false);
    expect(await unlocked(root, after)).toEqual(content);
    expect(await unlocked(root, both)).toEqual(content);
    expect(await codeLater(unlocked(root, before))).toMatch(/^key-(wrong|missing)$/);
    running.origin(ORIGIN).localStorage.setItem('k', 'v');
  });

  test('nothing is changed where none of the services unwraps', async () => {
    const root = await rootWith();
    await open(root, { kms: one, previous: [old] }).rekey(ORIGIN);
    const before = snapshotOf(root);
    for (const encryption of [{ kms: two }, { kms: two, previous: [old, two] }, { key: fresh, previous: [two] }, { key: fresh }] satisfies EncryptionOptions[]) {
      expect(await codeLater(open(root, encryption).rekey(ORIGIN))).toMatch(/^key-(wrong|missing)$/);
    }
    expect(snapshotOf(root)).toEqual(before);
  });
});
