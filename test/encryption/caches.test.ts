import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { EncryptionOptions } from '../../src/host/encryption/options.ts';
import { sample } from './files/support.ts';
import { Canaries, key, largest, newRoot, open, ORIGIN, told, within } from './parts.ts';
import { codeLater, snapshotOf } from './support.ts';

const URL_OF = `${ORIGIN}/resource`;
const responses = (root: string): string[] => largest(within(root, 'default/caches/responses'));

/** A body that no buffer is large enough for: it streams. */
const large = sample(300_000);

/** What a response gives: its bytes, or what its reading fails with. */
async function outcome(found: Promise<Response | undefined>): Promise<Buffer | string | undefined> {
  try {
    const response = await found;
    return response && Buffer.from(await response.arrayBuffer());
  } catch (error) {
    return told(error);
  }
}

describe('the caches of an encrypted origin', () => {
  test('keep what is put, for every host with the key, and show nothing of it', async () => {
    const root = newRoot();
    const canaries = new Canaries();
    const [name, inPath, search, fragment, field, asked, body, end, status] = Array.from({ length: 9 }, () => canaries.new());
    const url = `${ORIGIN}/${inPath}?${search}#${fragment}`;
    const request = new Request(url, { headers: { 'x-asked': asked ?? '' } });
    const headers = { vary: 'x-asked', 'x-field': field ?? '' };
    const cache = await open(root).origin(ORIGIN).caches.open(name ?? '');
    await cache.put(request, new Response(body, { headers, statusText: status ?? '' }));
    await cache.put(URL_OF, new Response(`${body}${'x'.repeat(300_000)}${end}`));
    await cache.put(`${ORIGIN}/gone`, new Response(canaries.new()));
    await cache.delete(`${ORIGIN}/gone`);
    expect(canaries.foundIn(root)).toEqual([]);

    const other = open(root).origin(ORIGIN).caches;
    expect(await other.keys()).toEqual([name]);
    const found = await other.match(new Request(url, { headers: { 'x-asked': asked ?? '' } }));
    expect([await found?.text(), found?.headers.get('x-field'), found?.statusText]).toEqual([body, field, status]);
    expect(await other.match(url)).toBeUndefined();
    expect((await (await other.match(URL_OF))?.text())?.endsWith(`xx${end}`)).toBe(true);
    const keys = await (await other.open(name ?? '')).keys();
    expect(keys.map((each) => each.url)).toEqual([url, URL_OF]);
    await other.delete(name ?? '');
    expect(await open(root).origin(ORIGIN).caches.keys()).toEqual([]);
    expect(canaries.foundIn(root)).toEqual([]);
  });

  test('give a response to its end that is replaced meanwhile, and the new one to who asks then', async () => {
    const root = newRoot();
    const [one, other] = [await open(root).origin(ORIGIN).caches.open('c'), await open(root).origin(ORIGIN).caches.open('c')];
    await one.put(URL_OF, new Response(large));
    const reader = (await other.match(URL_OF))?.body?.getReader();
    const chunks = [(await reader?.read())?.value];
    await one.put(URL_OF, new Response('another'));
    expect(await (await other.match(URL_OF))?.text()).toBe('another');
    for (let read = await reader?.read(); read?.done === false; read = await reader?.read()) chunks.push(read.value);
    expect(Buffer.concat(chunks.map((chunk) => chunk ?? new Uint8Array(0))).equals(large)).toBe(true);
  });

  test('put all of several responses or none', async () => {
    const root = newRoot();
    const cache = await open(root).origin(ORIGIN).caches.open('c');
    const canaries = new Canaries();
    const { fetch } = globalThis;
    globalThis.fetch = async (request) => (String((request as Request).url ?? request).endsWith('/bad') ? Response.error() : new Response(canaries.new()));
    try {
      await expect(cache.addAll([`${ORIGIN}/good`, `${ORIGIN}/bad`])).rejects.toThrow(TypeError);
      expect(await cache.keys()).toEqual([]);
      await cache.addAll([`${ORIGIN}/good`, `${ORIGIN}/better`]);
    } finally {
      globalThis.fetch = fetch;
    }
    expect((await cache.keys()).length).toBe(2);
    expect(canaries.foundIn(root)).toEqual([]);
  });

  test('count what their files take of the disk', async () => {
    const root = newRoot();
    const client = open(root).origin(ORIGIN);
    const cache = await client.caches.open('c');
    const before = (await client.storage.estimate()).usage ?? 0;
    await cache.put(URL_OF, new Response(large));
    const [file = ''] = responses(root);
    expect((await client.storage.estimate()).usage).toBe(before + 4096 + fs.statSync(file).size);
    await cache.delete(URL_OF);
    expect((await client.storage.estimate()).usage).toBe(before);
  });
});

describe('of a response', () => {
  test.each([
    ['short', 700, 1],
    ['long', 300_000, 3_001],
  ])('that is %s, no byte can be another: it is an error that names the file', async (_, size, step) => {
    const root = newRoot();
    const cache = await open(root).origin(ORIGIN).caches.open('c');
    await cache.put(URL_OF, new Response(sample(size)));
    const [file = ''] = responses(root);
    const raw = fs.readFileSync(file);
    const accepted: unknown[] = [];
    for (let at = 0; at < raw.length; at += step) {
      const changed = Buffer.from(raw);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      fs.writeFileSync(file, changed);
      const read = await outcome(cache.match(URL_OF));
      if (typeof read !== 'string' || !read.includes(file)) accepted.push([at, read]);
    }
    expect(accepted).toEqual([]);
    fs.writeFileSync(file, raw);
    expect(await outcome(cache.match(URL_OF))).toEqual(sample(size));
  });

  test('nothing stands in for it: neither another response, nor a file, nor a plain one', async () => {
    const root = newRoot();
    const client = open(root).origin(ORIGIN);
    const cache = await client.caches.open('c');
    await cache.put(URL_OF, new Response(sample(1_000, 1)));
    const [file = ''] = responses(root);
    await cache.put(`${ORIGIN}/other`, new Response(sample(1_000, 2)));
    const other = responses(root).find((each) => each !== file) ?? '';
    const raw = fs.readFileSync(file);
    const tree = await (await (await client.storage.getDirectory()).getFileHandle('f', { create: true })).createWritable();
    await tree.write(sample(raw.length - 96));
    await tree.close();
    const [inTree = ''] = largest(within(root, 'default/files.0'));
    const plain = Buffer.concat([sample(raw.length)]);
    for (const stranger of [fs.readFileSync(other), fs.readFileSync(inTree), plain]) {
      expect(stranger.length).toBe(raw.length);
      fs.writeFileSync(file, stranger);
      expect(await outcome(cache.match(URL_OF))).toContain(file);
    }
    // What is not as long as its record says was cut off when the power went: there is no such response.
    for (const cut of [raw.subarray(0, -1), raw.subarray(0, 0)]) {
      fs.writeFileSync(file, cut);
      expect(await outcome(cache.match(URL_OF))).toBeUndefined();
    }
    await cache.put(URL_OF, new Response('again'));
    expect(String(await outcome(cache.match(URL_OF)))).toBe('again');
  });
});

test('the index of another bucket, or another origin, is an error', async () => {
  const root = newRoot();
  const host = open(root);
  const client = host.origin(ORIGIN);
  await (await client.caches.open('of the default one')).put(URL_OF, new Response('a'));
  const bucket = await client.storageBuckets.open('b');
  await (await bucket.caches.open('of the bucket')).put(URL_OF, new Response('b'));
  await host.close();
  const [id = ''] = fs.readdirSync(within(root, 'buckets'));
  fs.rmSync(within(root, 'default/caches'), { recursive: true });
  fs.cpSync(within(root, 'buckets', id, 'caches'), within(root, 'default/caches'), { recursive: true });
  expect(await codeLater(open(root).origin(ORIGIN).caches.keys())).toBe('journal-damaged');
});

describe('before anything is written,', () => {
  const wrong: readonly [EncryptionOptions | null, string][] = [
    [{ key: randomBytes(32) }, 'key-wrong'],
    [{ keyFor: async () => Uint8Array.from(randomBytes(32)) }, 'key-wrong'],
    [{ keyFor: () => Promise.reject(new Error('away')) }, 'key-missing'],
    [null, 'key-missing'],
  ];

  test.each(wrong)('a key that is wrong or missing is an error (%#)', async (encryption, code) => {
    const root = newRoot();
    const first = open(root);
    await (await first.origin(ORIGIN).caches.open('c')).put(URL_OF, new Response('x'));
    await first.origin(ORIGIN).storageBuckets.open('b');
    await first.close();
    const before = snapshotOf(root);
    const { caches, storageBuckets } = open(root, encryption).origin(ORIGIN);
    for (const use of [() => caches.open('c'), () => caches.match(URL_OF), () => caches.keys(), () => caches.delete('c'), () => storageBuckets.open('b'), () => storageBuckets.open('n'), () => storageBuckets.keys(), () => storageBuckets.delete('b')]) {
      expect(await codeLater(use())).toBe(code);
      await expect(use()).rejects.toMatchObject({ name: 'SecurityError' });
    }
    expect(snapshotOf(root)).toEqual(before);
  });

  test('a plain origin is refused', async () => {
    const root = newRoot();
    await open(root, null).origin(ORIGIN).caches.open('c');
    const before = snapshotOf(root);
    expect(await codeLater(open(root).origin(ORIGIN).caches.open('c'))).toBe('not-encrypted');
    expect(await codeLater(open(root).origin(ORIGIN).storageBuckets.open('b'))).toBe('not-encrypted');
    expect(snapshotOf(root)).toEqual(before);
  });

  test('a key that a promise brings is waited for', async () => {
    const root = newRoot();
    const encryption = {
      keyFor: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        return key;
      },
    };
    await (await open(root, encryption).origin(ORIGIN).caches.open('c')).put(URL_OF, new Response('x'));
    const { caches, storageBuckets } = open(root, encryption).origin(ORIGIN);
    expect(await (await caches.match(URL_OF))?.text()).toBe('x');
    await storageBuckets.open('b');
    expect(await open(root, encryption).origin(ORIGIN).storageBuckets.keys()).toEqual(['b']);
  });
});
