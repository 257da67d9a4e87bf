// The Cache API on a runtime's own Request, Response and Headers. https://w3c.github.io/ServiceWorker/#cache-interface
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { install } from 'holdfast';
import { startPeer } from '../kit/peer.mjs';
import { newRoot, origin, withHost } from '../kit/place.mjs';
import { test, until } from '../kit/test.mjs';

const url = 'https://a.example/page';

const withCache = (body) => withHost(async (host, app) => body(await app.caches.open('pages'), app, host));

test('a response comes back as it was put', () =>
  withCache(async (cache) => {
    const made = new Response('hello', { status: 201, statusText: 'Made', headers: [['X-B', '2'], ['x-a', '1'], ['set-cookie', 'secret=1']] });
    await cache.put(`${url}?a=b#c`, made);
    assert.equal(made.bodyUsed, true);
    const found = await cache.match(new Request(`${url}?a=b`));
    assert.ok(found instanceof Response);
    assert.deepEqual([found.status, found.statusText, found.ok, found.type, found.url, found.redirected], [201, 'Made', true, 'default', '', false]);
    assert.equal(found.headers.get('x-a'), '1');
    assert.equal(found.headers.get('x-b'), '2');
    assert.equal(found.headers.get('set-cookie'), null);
    const copy = found.clone();
    assert.deepEqual([await found.text(), await copy.text()], ['hello', 'hello']);
    const [request] = await cache.keys();
    assert.ok(request instanceof Request);
    assert.deepEqual([request.url, request.method], [`${url}?a=b#c`, 'GET']);
  }));

test('responses without a body, with bytes, of errors and redirects', () =>
  withCache(async (cache) => {
    for (const response of [new Response(null, { status: 204 }), new Response(), Response.redirect('https://a.example/x', 301), new Response(new Uint8Array([0, 255, 128]))]) {
      const { status } = response;
      await cache.put(url, response.clone());
      const found = await cache.match(url);
      assert.equal(found.status, status);
      assert.deepEqual(new Uint8Array(await found.arrayBuffer()), new Uint8Array(await response.arrayBuffer()));
    }
    await cache.put(url, Response.error());
    const error = await cache.match(url);
    assert.deepEqual([error.type, error.status], ['error', 0]);
  }));

test('a large body streams, whole, in pieces and while it is replaced', () =>
  withCache(async (cache) => {
    const bytes = new Uint8Array(1_000_000).map((_, index) => index % 251);
    let at = 0;
    const body = new ReadableStream({
      pull(controller) {
        controller.enqueue(bytes.slice(at, (at += 70_000)));
        if (at >= bytes.length) controller.close();
      },
    });
    await cache.put(url, new Response(body, { headers: { 'content-type': 'application/octet-stream' } }));
    const [first, second] = [await cache.match(url), await cache.match(url)];
    await cache.put(url, new Response('new'));
    assert.deepEqual(new Uint8Array(await first.arrayBuffer()), bytes);
    const reader = second.clone().body.getReader();
    let length = 0;
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) length += chunk.value.byteLength;
    assert.equal(length, bytes.length);
    assert.equal((await (await second.blob()).arrayBuffer()).byteLength, bytes.length);
    assert.equal(await (await cache.match(url)).text(), 'new');
  }));

test('what cannot be stored is refused', () =>
  withCache(async (cache) => {
    const used = new Response('x');
    await used.text();
    const refused = [
      [new Request(url, { method: 'POST', body: 'x' }), new Response('x')],
      ['data:text/plain,x', new Response('x')],
      [url, new Response('x', { status: 206 })],
      [url, new Response('x', { headers: { vary: 'a, *' } })],
      [url, used],
      [url, 'no response'],
    ];
    for (const [request, response] of refused) await assert.rejects(cache.put(request, response), TypeError);
    await assert.rejects(cache.put(url), TypeError);
    await assert.rejects(cache.put(url, new Response(new ReadableStream({ pull: (controller) => controller.error(new RangeError('mine')) }))), RangeError);
    assert.deepEqual(await cache.keys(), []);
  }));

test('Vary, ignoreSearch, ignoreMethod and ignoreVary', () =>
  withCache(async (cache, { caches }) => {
    const asking = (accept) => new Request(url, { headers: { accept } });
    for (const type of ['text', 'image']) await cache.put(asking(type), new Response(type, { headers: { vary: 'Accept' } }));
    assert.equal(await (await cache.match(asking('image'))).text(), 'image');
    assert.equal(await cache.match(asking('other')), undefined);
    assert.equal((await cache.matchAll(asking('other'), { ignoreVary: true })).length, 2);
    assert.equal(await cache.match(new Request(url, { method: 'HEAD', headers: { accept: 'text' } })), undefined);
    assert.ok(await cache.match(new Request(`${url}?q`, { method: 'HEAD', headers: { accept: 'text' } }), { ignoreMethod: true, ignoreSearch: true }));
    assert.ok(await caches.match(asking('text'), { cacheName: 'pages' }));
    assert.equal(await caches.match(asking('text'), { cacheName: 'other' }), undefined);
  }));

test('add and addAll fetch, follow redirects, and put all or nothing', async () => {
  const server = createServer((request, response) => {
    if (request.url === '/moved') response.writeHead(302, { location: '/page' }).end();
    else if (request.url === '/page') response.writeHead(200, { 'content-type': 'text/plain' }).end('page');
    else response.writeHead(404).end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const base = `http://127.0.0.1:${server.address().port}`;
  try {
    await withCache(async (cache) => {
      await cache.add(`${base}/moved`);
      const found = await cache.match(`${base}/moved`);
      assert.deepEqual([found.url, found.redirected, await found.clone().text()], [`${base}/page`, true, 'page']);
      assert.deepEqual([found.clone().url, found.clone().redirected], [`${base}/page`, true]);
      await assert.rejects(cache.addAll([`${base}/page`, `${base}/missing`]), TypeError);
      await assert.rejects(cache.addAll([`${base}/page`, `${base}/page`]), { name: 'InvalidStateError' });
      assert.equal(await cache.match(`${base}/page`), undefined);
      await cache.addAll([`${base}/page`, new Request(`${base}/page?`)].slice(0, 1));
      assert.equal((await cache.keys()).length, 2);
    });
  } finally {
    server.closeAllConnections?.();
    server.close();
  }
});

test('caches are listed in the order of their making, deleted, and go on for who has them', () =>
  withHost(async (_, { caches }) => {
    for (const name of ['', 'b', 'a', 'unpaired\ud800']) await caches.open(name);
    assert.deepEqual(await caches.keys(), ['', 'b', 'a', 'unpaired\ud800']);
    const cache = await caches.open('b');
    await cache.put(url, new Response('kept'));
    assert.equal(await caches.delete('b'), true);
    assert.equal(await caches.delete('b'), false);
    assert.equal(await caches.has('b'), false);
    assert.equal(await (await cache.match(url)).text(), 'kept');
    assert.deepEqual(await (await caches.open('b')).keys(), []);
  }));

test('another process sees what was put, and what it puts is seen here', () =>
  withCache(async (cache, _, { root }) => {
    await cache.put(url, new Response('ours'));
    const peer = await startPeer(root);
    assert.equal(await peer.ask('cached', 'pages', url), 'ours');
    await peer.ask('cache', 'pages', url, 'theirs');
    assert.equal(await (await cache.match(url)).text(), 'theirs');
    await peer.ask('uncache', 'pages');
    assert.equal((await cache.keys()).length, 0);
    await peer.leave();
  }));

test('a full quota leaves what was there, and what was freed is free', () =>
  withHost(
    async (host, { caches, storage }) => {
      const cache = await caches.open('a');
      await cache.put(url, new Response('old'));
      await assert.rejects(cache.put(url, new Response(new Uint8Array(40_000_000))), { name: 'QuotaExceededError' });
      assert.equal(await (await cache.match(url)).text(), 'old');
      await cache.delete(url);
      await until(async () => (await storage.estimate()).usageDetails.caches === 0, 'the space is free');
      const responses = join(host.root, 'origins', 'https_app.example', 'default', 'caches', 'responses');
      await until(() => readdirSync(responses).length === 0, 'no response is left');
    },
    { quota: 20_000_000 },
  ));

test("the global takes the place of the runtime's own, and gives it back", async () => {
  const native = Object.getOwnPropertyDescriptor(globalThis, 'caches');
  const undo = install({ root: newRoot(), origin, globals: ['caches'] });
  try {
    assert.equal(Object.prototype.toString.call(globalThis.caches), '[object CacheStorage]');
    assert.ok(globalThis.caches instanceof globalThis.CacheStorage);
    const cache = await globalThis.caches.open('a');
    assert.ok(cache instanceof globalThis.Cache);
    await cache.put('/relative', new Response('x'));
    assert.ok(await globalThis.caches.match('/relative'));
    assert.throws(() => new globalThis.Cache(), TypeError);
  } finally {
    undo();
  }
  assert.deepEqual(Object.getOwnPropertyDescriptor(globalThis, 'caches'), native);
});
