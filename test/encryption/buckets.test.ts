import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { StorageClient } from '../../src/host/storage-client.ts';
import { Canaries, largest, newRoot, open, ORIGIN, told, until, within } from './parts.ts';
import { codeLater } from './support.ts';

type Bucket = Awaited<ReturnType<StorageClient['storageBuckets']['open']>>;

async function write(bucket: Pick<Bucket, 'getDirectory'>, name: string, text: string): Promise<void> {
  const writable = await (await (await bucket.getDirectory()).getFileHandle(name, { create: true })).createWritable();
  await writable.write(text);
  await writable.close();
}

async function read(bucket: Pick<Bucket, 'getDirectory'>, name: string): Promise<string> {
  return (await (await (await bucket.getDirectory()).getFileHandle(name)).getFile()).text();
}

/** The directories of named buckets. */
function directories(root: string): string[] {
  return fs.existsSync(within(root, 'buckets')) ? fs.readdirSync(within(root, 'buckets')).sort() : [];
}

test('named buckets keep what is written into them, for every host with the key, and show nothing of it', async () => {
  const root = newRoot();
  const canaries = new Canaries();
  const [name = '', file = '', text = '', lock = '', cache = '', body = ''] = Array.from({ length: 6 }, () => canaries.new());
  const client = open(root).origin(ORIGIN);
  const bucket = await client.storageBuckets.open(name, { persisted: true, quota: 10_000_000 });
  await write(bucket, file, text);
  await (await bucket.caches.open(cache)).put(`${ORIGIN}/${body}`, new Response(body));
  await bucket.locks.request(lock, () => undefined);
  await client.storageBuckets.open(canaries.new());
  expect(canaries.foundIn(root)).toEqual([]);

  const other = open(root).origin(ORIGIN);
  expect(await other.storageBuckets.keys()).toContain(name);
  const same = await other.storageBuckets.open(name);
  expect([await read(same, file), await same.persisted(), (await same.estimate()).quota]).toEqual([text, true, 10_000_000]);
  expect(await (await same.caches.match(`${ORIGIN}/${body}`))?.text()).toBe(body);
  expect(await same.locks.request(lock, () => other.storageBuckets.keys().then(({ length }) => length))).toBe(2);
  expect(canaries.foundIn(root)).toEqual([]);
});

test('deleting one takes its directory away, and shreds nothing else', async () => {
  const root = newRoot();
  const host = open(root);
  const client = host.origin(ORIGIN);
  const [one, other] = [await client.storageBuckets.open('one'), await client.storageBuckets.open('other')];
  await write(one, 'f', 'of one');
  await write(other, 'f', 'of the other');
  await write({ getDirectory: () => client.storage.getDirectory() }, 'f', 'of the default one');
  await client.storageBuckets.delete('one');
  await until(() => directories(root).length === 1);
  const later = open(root).origin(ORIGIN);
  expect(await later.storageBuckets.keys()).toEqual(['other']);
  expect(await read(await later.storageBuckets.open('other'), 'f')).toBe('of the other');
  expect(await read({ getDirectory: () => later.storage.getDirectory() }, 'f')).toBe('of the default one');
  const again = await later.storageBuckets.open('one');
  await expect(read(again, 'f')).rejects.toMatchObject({ name: 'NotFoundError' });
});

test('one that expires is gone, and its end is nobody\'s to read', async () => {
  const root = newRoot();
  const { storageBuckets } = open(root).origin(ORIGIN);
  const brief = await storageBuckets.open('brief', { expires: Date.now() + 60_000 });
  await storageBuckets.open('kept');
  await brief.setExpires(Date.now() + 20);
  await until(() => directories(root).length === 1);
  expect(await open(root).origin(ORIGIN).storageBuckets.keys()).toEqual(['kept']);
});

test('the quota of an origin counts what its other buckets take', async () => {
  const root = newRoot();
  const quota = { quota: { total: 4e6, localStorage: 1e6 } };
  await write(await open(root, undefined, quota).origin(ORIGIN).storageBuckets.open('one'), 'f', 'x'.repeat(2e6));
  const other = await open(root, undefined, quota).origin(ORIGIN).storageBuckets.open('other');
  await expect(write(other, 'f', 'x'.repeat(2e6))).rejects.toMatchObject({ name: 'QuotaExceededError' });
  await write(other, 'f', 'x'.repeat(5e5));
});

test('nothing of one bucket can stand in another one', async () => {
  const root = newRoot();
  const first = open(root);
  const { storageBuckets } = first.origin(ORIGIN);
  const [one, other] = [await storageBuckets.open('one'), await storageBuckets.open('other')];
  await one.locks.request('l', () => undefined);
  await (await one.caches.open('c')).put(`${ORIGIN}/`, new Response('of one'));
  await (await other.caches.open('c')).put(`${ORIGIN}/`, new Response('of the other'));
  const [a = '', b = ''] = directories(root).map((id) => within(root, 'buckets', id));
  await first.close();
  fs.cpSync(a, `${a}.kept`, { recursive: true });
  for (const part of ['locks', 'caches/index', 'quota']) {
    fs.rmSync(path.join(a, part), { recursive: true });
    fs.cpSync(path.join(b, part), path.join(a, part), { recursive: true });
    const host = open(root);
    const found = await Promise.all((await host.origin(ORIGIN).storageBuckets.keys()).map(async (name) => {
      const bucket = await host.origin(ORIGIN).storageBuckets.open(name);
      // An account that makes no sense is counted anew.
      if (part === 'quota') return bucket.estimate().then(() => 'journal-damaged');
      return codeLater(part === 'locks' ? bucket.locks.request('l', () => undefined) : bucket.caches.match(`${ORIGIN}/`));
    }));
    expect(found).toContain('journal-damaged');
    await host.close();
    fs.rmSync(a, { recursive: true });
    fs.cpSync(`${a}.kept`, a, { recursive: true });
  }
});

test('no byte of the register can be another: nobody is told of another bucket', async () => {
  const root = newRoot();
  const first = open(root);
  for (const name of ['one', 'other', 'third']) await first.origin(ORIGIN).storageBuckets.open(name);
  await first.close();
  const [file = ''] = largest(within(root, 'default/register'));
  const raw = fs.readFileSync(file);
  const accepted: unknown[] = [];
  for (let at = 0; at < raw.length; at += 23) {
    const changed = Buffer.from(raw);
    changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
    fs.writeFileSync(file, changed);
    const host = open(root);
    try {
      // A frame that is torn, as far as anybody can tell, counts as never written, as in a plain journal.
      const names = await host.origin(ORIGIN).storageBuckets.keys();
      if (names.some((name) => !['one', 'other', 'third'].includes(name))) accepted.push([at, names]);
    } catch (error) {
      if (!told(error).includes(file)) accepted.push([at, told(error)]);
    }
    await host.close();
    fs.writeFileSync(file, raw);
  }
  expect(accepted).toEqual([]);
});
