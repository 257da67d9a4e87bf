// Encrypted origins: what one runtime has written another one reads, and nobody without the key. docs/ENCRYPTION.md
import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StorageHost } from 'holdfast';
import { completed, open, settled } from '../kit/indexed-db.mjs';
import { startPeer } from '../kit/peer.mjs';
import { newRoot, origin } from '../kit/place.mjs';
import { test, until } from '../kit/test.mjs';

const digits = '0123456789abcdef'.repeat(4);
const keyOf = (text) => Uint8Array.from(text.match(/../g), (each) => Number.parseInt(each, 16));
const key = keyOf(digits);
const url = 'https://a.example/canary-url';

/** Calls `body` with a host that encrypts, on a new root or that one. */
async function withSealed(body, { root = newRoot(), encryption = { key } } = {}) {
  const host = new StorageHost({ root, ...(encryption && { encryption }) });
  try {
    return await body(host, host.origin(origin));
  } finally {
    await host.close();
  }
}

/** The code of what a call fails with, or of what has caused that. */
async function codeOf(body) {
  try {
    await body();
    return 'none';
  } catch (error) {
    for (let at = error; at; at = at.cause) if (at.code !== undefined && typeof at.code === 'string') return at.code;
    throw error;
  }
}

/** Files of a root in which there is a mark, or in whose names. */
function plainIn(root, mark = 'canary') {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' });
  const forms = ['utf8', 'utf16le'].map((encoding) => Buffer.from(mark, encoding));
  return names.filter((name) => name.includes(mark) || forms.some((form) => bytesOf(join(root, name)).includes(form)));
}

/** None of a directory, and of a file that another process has let go meanwhile. */
function bytesOf(path) {
  try {
    return statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0);
  } catch (error) {
    if (error.code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

async function write(app, name, text) {
  const writable = await (await (await app.storage.getDirectory()).getFileHandle(name, { create: true })).createWritable();
  await writable.write(text);
  await writable.close();
}

async function read(app, name) {
  return (await (await (await app.storage.getDirectory()).getFileHandle(name)).getFile()).text();
}

const long = `canary${'x'.repeat(200_000)}end`;

// Of all runtimes that are here, the first and the last: each other one meets both.
const others = (process.env.TEST_RUNTIMES ?? '').split(',').filter((name) => name !== '');
for (const on of new Set([others[0], others.at(-1)])) {
  test(`what ${on ?? 'this runtime'} has written is read here, and the other way round`, () =>
    withSealed(async (host, app) => {
      const peer = await startPeer(host.root, { on, key: digits });
      await peer.ask('setItem', 'canary-key', 'canary-value ü€');
      await peer.ask('write', 'canary-file', long);
      await peer.ask('cache', 'canary-cache', url, long);
      assert.equal(app.localStorage.getItem('canary-key'), 'canary-value ü€');
      assert.equal(await read(app, 'canary-file'), long);
      assert.equal(await (await app.caches.match(url, { cacheName: 'canary-cache' })).text(), long);

      app.localStorage.setItem('canary-here', 'canary-back');
      await write(app, 'canary-here', long);
      await (await app.caches.open('canary-here')).put(url, new Response(long));
      assert.equal(await peer.ask('getItem', 'canary-here'), 'canary-back');
      assert.equal(await peer.ask('read', 'canary-here'), long);
      assert.equal(await peer.ask('cached', 'canary-here', url), long);
      await write(await app.storageBuckets.open('canary-bucket').then((bucket) => ({ storage: { getDirectory: () => bucket.getDirectory() } })), 'canary-in', long);
      assert.deepEqual(await peer.ask('bucketNames'), ['canary-bucket']);
      assert.equal(await peer.ask('readInBucket', 'canary-bucket', 'canary-in'), long);

      await peer.ask('openDatabase', 'canary-database', 1);
      await peer.ask('putRecord', 'canary-there', { text: long });
      const database = await open(app.indexedDB, 'canary-database', 1);
      assert.deepEqual(await settled(database.transaction('records').objectStore('records').get('canary-there')), { text: long });
      const transaction = database.transaction('records', 'readwrite');
      transaction.objectStore('records').put(new Blob([long]), 'canary-blob');
      await completed(transaction);
      assert.equal(await peer.ask('getRecord', 'canary-blob'), long);
      database.close();

      await peer.ask('hear', 'canary-channel');
      const heard = [];
      const channel = new app.BroadcastChannel('canary-channel');
      channel.onmessage = ({ data }) => heard.push(data);
      channel.postMessage('canary');
      channel.postMessage(new Blob([long], { type: 'text/canary' }));
      const events = await peer.eventCount(2);
      assert.deepEqual(events.map(({ data }) => data), ['canary', { text: long, type: 'text/canary' }]);
      await peer.ask('postBlob', 'canary-channel', long, 'text/plain');
      await until(() => heard.length === 1, 'it came');
      assert.equal(await heard[0].text(), long);
      channel.close();
      assert.deepEqual(plainIn(host.root), []);
      await peer.leave();
      assert.deepEqual(plainIn(host.root), []);
    }));
}

test('a sync access handle reads and writes in place', () =>
  withSealed(async (host, app) => {
    const handle = await (await (await app.storage.getDirectory()).getFileHandle('canary', { create: true })).createSyncAccessHandle();
    const bytes = new Uint8Array(20_000).map((_, index) => index % 251);
    handle.write(bytes, { at: 0 });
    handle.write(Uint8Array.of(7), { at: 10_000 });
    handle.truncate(15_000);
    handle.flush();
    bytes[10_000] = 7;
    const back = new Uint8Array(15_000);
    assert.equal(handle.read(back, { at: 0 }), 15_000);
    assert.deepEqual(back, bytes.subarray(0, 15_000));
    handle.close();
    assert.deepEqual(plainIn(host.root), []);
  }));

test('a key that is wrong, missing or not there yet is an error with its code, before anything is written', async () => {
  const root = newRoot();
  await withSealed(async (_, app) => {
    app.localStorage.setItem('k', 'v');
    await (await app.caches.open('c')).put(url, new Response('x'));
  }, { root });
  const wrong = keyOf('f'.repeat(64));
  const cases = [
    [{ key: wrong }, 'key-wrong', 'key-wrong'],
    [undefined, 'key-missing', 'key-missing'],
    [{ keyFor: () => Promise.reject(new Error('away')) }, 'key-pending', 'key-missing'],
    [{ keyFor: async () => wrong }, 'key-pending', 'key-wrong'],
  ];
  for (const [encryption, now, later] of cases) {
    const given = { root, encryption: encryption ?? null };
    await withSealed(async (_, app) => assert.equal(await codeOf(() => app.localStorage.getItem('k')), now), given);
    await withSealed(async (_, app) => {
      assert.equal(await codeOf(() => app.caches.match(url)), later);
      assert.equal(await codeOf(() => app.storageBuckets.open('b')), later);
      assert.equal(await codeOf(() => read(app, 'f')), later);
    }, given);
  }
  await withSealed(async (host, app) => {
    assert.equal(await (await app.caches.match(url)).text(), 'x');
    await host.unlock(origin);
    assert.equal(app.localStorage.getItem('k'), 'v');
  }, { root, encryption: { keyFor: async () => key } });
});

test('what was changed on the disk is an error, and never data', () =>
  withSealed(async (host, app) => {
    const cache = await app.caches.open('c');
    await cache.put(url, new Response('x'.repeat(1000)));
    const folder = join(host.root, 'origins/https_app.example/default/caches/responses');
    const file = join(folder, readdirSync(folder)[0]);
    const raw = readFileSync(file);
    for (const at of [0, 5, 20, 50, 70, 500, raw.length - 1]) {
      const changed = Uint8Array.from(raw);
      changed[at] ^= 1;
      writeFileSync(file, changed);
      await assert.rejects(cache.match(url), { name: 'UnknownError' });
    }
    writeFileSync(file, raw);
    assert.equal((await (await cache.match(url)).text()).length, 1000);
  }));
