// Web Storage. https://html.spec.whatwg.org/multipage/webstorage.html
import assert from 'node:assert/strict';
import process from 'node:process';
import { StorageHost } from 'holdfast';
import { startPeer } from '../kit/peer.mjs';
import { newRoot, origin, withHost } from '../kit/place.mjs';
import { run } from '../kit/program.mjs';
import { test, until } from '../kit/test.mjs';

test('keeps what it was given when the host is opened again', async () => {
  const root = newRoot();
  const first = new StorageHost({ root });
  first.origin(origin).localStorage.setItem('k', 'v');
  await first.close();
  const second = new StorageHost({ root });
  assert.equal(second.origin(origin).localStorage.getItem('k'), 'v');
  assert.equal(second.origin('https://other.example').localStorage.getItem('k'), null);
  await second.close();
});

test('reading creates nothing', () =>
  withHost(async (host, { localStorage }) => {
    const { existsSync } = await import('node:fs');
    assert.equal(localStorage.getItem('k'), null);
    assert.equal(localStorage.length, 0);
    assert.equal(existsSync(host.root), false);
  }));

test('keys and values are exact, whatever is in them', async () => {
  const root = newRoot();
  const texts = ['', '.', '..', 'length', 'key', '__proto__', 'toString', 'a\0b', '\ud800', '\udfff\ud800', '😀', 'é', 'e\u0301', 'x'.repeat(300)];
  const first = new StorageHost({ root });
  for (const text of texts) first.origin(origin).localStorage.setItem(text, `${text}!`);
  await first.close();
  const second = new StorageHost({ root });
  const { localStorage } = second.origin(origin);
  assert.deepEqual(texts.map((text) => localStorage.getItem(text)), texts.map((text) => `${text}!`));
  assert.equal(localStorage.length, texts.length);
  await second.close();
});

test('a value of 4 MiB comes back whole', () =>
  withHost((_, { localStorage }) => {
    const value = 'ä'.repeat(2 ** 21);
    localStorage.setItem('large', value);
    assert.equal(localStorage.getItem('large'), value);
  }));

test('keys keep the order in which they came', () =>
  withHost((_, { localStorage }) => {
    for (const key of ['c', 'a', 'b']) localStorage.setItem(key, key);
    localStorage.setItem('a', 'again');
    assert.deepEqual([0, 1, 2, 3].map((index) => localStorage.key(index)), ['c', 'a', 'b', null]);
    localStorage.removeItem('c');
    assert.deepEqual(Object.keys(localStorage), ['a', 'b']);
    localStorage.clear();
    assert.equal(localStorage.length, 0);
  }));

test('properties are items', () =>
  withHost((_, { localStorage }) => {
    localStorage.a = 1;
    Object.defineProperty(localStorage, 'b', { value: '2', configurable: true, enumerable: true, writable: true });
    assert.equal(localStorage.getItem('a'), '1');
    assert.equal(localStorage.b, '2');
    assert.deepEqual({ ...localStorage }, { a: '1', b: '2' });
    assert.equal('a' in localStorage, true);
    assert.equal(delete localStorage.a, true);
    assert.equal('a' in localStorage, false);
    assert.equal(localStorage.getItem('a'), null);
    assert.equal(typeof localStorage.getItem, 'function');
    localStorage.setItem('getItem', 'an item');
    assert.equal(typeof localStorage.getItem, 'function');
    const symbol = Symbol('not an item');
    localStorage[symbol] = 1;
    assert.equal(localStorage[symbol], 1);
    assert.equal(localStorage.length, 2);
  }));

test('arguments are converted as in a browser', () =>
  withHost((_, { localStorage }) => {
    localStorage.setItem(null, undefined);
    assert.equal(localStorage.getItem('null'), 'undefined');
    assert.throws(() => localStorage.setItem('k'), { name: 'TypeError', message: /2 arguments required, but only 1 present/ });
    assert.throws(() => localStorage.getItem(), TypeError);
    assert.throws(() => localStorage.setItem('k', Symbol('s')), TypeError);
    assert.throws(() => new localStorage.constructor(), { name: 'TypeError', message: /Illegal constructor/ });
    assert.throws(() => localStorage.getItem.call(Object.create(Object.getPrototypeOf(localStorage)), 'k'), TypeError);
    assert.equal(Object.prototype.toString.call(localStorage), '[object Storage]');
  }));

test('a full store throws QuotaExceededError and stays as it was', () =>
  withHost(
    (_, { localStorage }) => {
      localStorage.setItem('a', 'x'.repeat(300));
      assert.throws(() => localStorage.setItem('b', 'x'.repeat(300)), (error) => {
        assert.equal(error.name, 'QuotaExceededError');
        assert.ok(error instanceof DOMException);
        assert.equal(error.quota, 1000);
        assert.equal(error.requested, 1204);
        return true;
      });
      assert.deepEqual(Object.keys(localStorage), ['a']);
      localStorage.setItem('a', 'x'.repeat(499));
    },
    { quota: { localStorage: 1000 } },
  ));

test('sessionStorage is of its client alone', () =>
  withHost((host, app) => {
    const visitor = host.client(origin);
    visitor.sessionStorage.setItem('k', 'v');
    assert.equal(app.sessionStorage.getItem('k'), null);
    assert.equal(visitor.sessionStorage.getItem('k'), 'v');
    visitor.close();
    assert.throws(() => visitor.localStorage, { name: 'HoldfastError', code: 'closed' });
  }));

test('events tell every client but the writer, in order, once', () =>
  withHost(async (host, app) => {
    const other = host.client(origin);
    const [own, seen] = [[], []];
    app.addEventListener('storage', (event) => own.push(event.key));
    other.addEventListener('storage', (event) => seen.push(event));
    app.localStorage.setItem('a', '1');
    app.localStorage.setItem('a', '1');
    app.localStorage.setItem('a', '2');
    app.localStorage.removeItem('a');
    app.localStorage.removeItem('a');
    app.localStorage.setItem('b', '3');
    app.localStorage.clear();
    await until(() => seen.length >= 5, 'five events came');
    assert.deepEqual(
      seen.map(({ key, oldValue, newValue }) => [key, oldValue, newValue]),
      [['a', null, '1'], ['a', '1', '2'], ['a', '2', null], ['b', null, '3'], [null, null, null]],
    );
    assert.ok(seen.every((event) => event.storageArea === other.localStorage && event.url === `${origin}/` && event.type === 'storage'));
    assert.deepEqual(own, []);
  }));

test('another process reads what was written, and is told of it', () =>
  withHost(async (host, { localStorage }) => {
    const peer = await startPeer(host.root);
    await peer.ask('listen');
    for (let n = 0; n < 20; n++) {
      localStorage.setItem('n', String(n));
      assert.equal(await peer.ask('getItem', 'n'), String(n));
      await peer.ask('setItem', 'answer', String(-n));
      assert.equal(localStorage.getItem('answer'), String(-n));
    }
    const events = await peer.eventCount(20);
    assert.deepEqual(
      events,
      Array.from({ length: 20 }, (_, n) => ({ key: 'n', oldValue: n === 0 ? null : String(n - 1), newValue: String(n), url: `${origin}/`, isOurs: true })),
    );
    await peer.leave();
  }));

test('this process is told of what another writes', () =>
  withHost(async (host, app) => {
    const peer = await startPeer(host.root);
    const seen = [];
    app.addEventListener('storage', ({ key, newValue }) => seen.push([key, newValue]));
    await peer.ask('setItem', 'a', '1');
    await peer.ask('removeItem', 'a');
    await peer.ask('clear');
    await peer.ask('setItem', 'b', '2');
    await until(() => seen.length >= 3, 'three events came');
    assert.deepEqual(seen, [['a', '1'], ['a', null], ['b', '2']]);
    await peer.leave();
  }));

test('a runtime that refuses to sync is warned of, once', async () => {
  assert.deepEqual(await run('strict', { args: [newRoot()] }), [process.permission === undefined ? '' : 'sync-refused']);
});
