// What many processes append to: docs/FORMAT.md.
import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StorageHost } from 'holdfast';
import { startPeer } from '../kit/peer.mjs';
import { newRoot, origin, withHost } from '../kit/place.mjs';
import { run } from '../kit/program.mjs';
import { test } from '../kit/test.mjs';

const mapOf = (root) => join(root, 'origins/https_app.example/default/local-storage');
const generations = (root) => readdirSync(mapOf(root)).filter((name) => /^\d+$/.test(name)).map(Number).sort((a, b) => a - b);

/** What a host that opens the root anew finds. */
async function reopened(root) {
  const host = new StorageHost({ root });
  const items = Object.entries(host.origin(origin).localStorage);
  await host.close();
  return items;
}

test('three processes append at once, and nothing of any is lost', () =>
  withHost(async (host, { localStorage }) => {
    await Promise.all([1, 2, 3].map((id) => run('appender', { args: [host.root, String(id), '500'] })));
    for (const id of [1, 2, 3]) {
      const own = Object.keys(localStorage).filter((key) => key.startsWith(`${id}/`));
      assert.deepEqual(own, Array.from({ length: 500 }, (_, n) => `${id}/${n}`));
    }
    assert.deepEqual(await reopened(host.root), Object.entries(localStorage));
  }));

test('all processes see one order', () =>
  withHost(async (host, { localStorage }) => {
    const peers = await Promise.all([startPeer(host.root), startPeer(host.root)]);
    for (let n = 0; n < 50; n++) {
      peers[0].tell('setItem', `a${n}`, 'x');
      peers[1].tell('setItem', `b${n}`, 'x');
      localStorage.setItem(`c${n}`, 'x');
    }
    for (const peer of peers) for (let n = 0; n < 50; n++) await peer.answer();
    const items = Object.entries(localStorage);
    assert.equal(items.length, 150);
    for (const peer of peers) assert.deepEqual(await peer.ask('items'), items);
    assert.deepEqual(await reopened(host.root), items);
    for (const peer of peers) await peer.leave();
  }));

test('compaction keeps what is there, under readers and writers of other processes', () =>
  withHost(async (host, { localStorage }) => {
    const peer = await startPeer(host.root);
    await peer.ask('setItem', 'theirs', 'kept');
    const value = 'x'.repeat(100_000);
    for (let n = 0; n < 300; n++) {
      localStorage.setItem('ours', `${n} ${value}`);
      if (n % 50 === 0) assert.equal((await peer.ask('getItem', 'ours')).split(' ')[0], String(n));
    }
    assert.ok(generations(host.root).at(-1) > 0, 'it was meant to compact');
    assert.equal(await peer.ask('getItem', 'ours'), `299 ${value}`);
    assert.equal(await peer.ask('getItem', 'theirs'), 'kept');
    await peer.ask('setItem', 'theirs', 'still');
    assert.deepEqual(await reopened(host.root), [['theirs', 'still'], ['ours', `299 ${value}`]]);
    await peer.leave();
  }));

test('half a record at the end, or garbage, harms nothing that was there or comes after', () =>
  withHost(async (host, { localStorage }) => {
    for (let n = 0; n < 10; n++) {
      localStorage.setItem('k', `before ${n}`);
      appendFileSync(join(mapOf(host.root), String(generations(host.root).at(-1))), new Uint8Array(1 + n * 37).fill(n * 31));
      assert.equal(localStorage.getItem('k'), `before ${n}`);
      localStorage.setItem('after', String(n));
      assert.deepEqual(await reopened(host.root), [['k', `before ${n}`], ['after', String(n)]]);
    }
  }));

test('10 MiB are replayed', async () => {
  const root = newRoot();
  const writer = new StorageHost({ root, quota: 2 ** 25 });
  const { localStorage } = writer.origin(origin);
  for (let n = 0; n < 100; n++) localStorage.setItem(`k${n}`, String(n).padEnd(52_000, '.'));
  await writer.close();
  const items = await reopened(root);
  assert.deepEqual(items.map(([key, value]) => [key, Number.parseInt(value), value.length]), Array.from({ length: 100 }, (_, n) => [`k${n}`, n, 52_000]));
});

test('a root of a newer version is refused, and left alone', async () => {
  const root = newRoot();
  mkdirSync(root);
  writeFileSync(join(root, 'holdfast.json'), JSON.stringify({ format: 1000, version: 1000, salt: 'c2FsdA==' }));
  const host = new StorageHost({ root });
  assert.throws(() => host.origin(origin).localStorage, { name: 'HoldfastError', code: 'root-newer' });
  await host.close();
  assert.deepEqual(readdirSync(root), ['holdfast.json']);
});

// A root that the system refuses is no matter of the runtime; test/host has it.
if ('Deno' in globalThis) {
  test('a root without permission is refused in words of ours', async () => {
    const host = new StorageHost({ root: '/elsewhere' });
    assert.throws(() => host.origin(origin).localStorage, { name: 'HoldfastError', code: 'root-unusable', message: /\/elsewhere/ });
    await host.close();
  });
}

test('strict durability works like the other, and syncs', () =>
  withHost(
    async (host, { localStorage, storage }) => {
      localStorage.setItem('k', 'v');
      const file = await (await storage.getDirectory()).getFileHandle('f', { create: true });
      const writable = await file.createWritable();
      await writable.write('synced');
      await writable.close();
      assert.deepEqual(await reopened(host.root), [['k', 'v']]);
      assert.equal(await (await file.getFile()).text(), 'synced');
    },
    { durability: 'strict' },
  ));
