// Web Locks over processes. https://w3c.github.io/web-locks/
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startPeer } from '../kit/peer.mjs';
import { withHost } from '../kit/place.mjs';
import { run, start } from '../kit/program.mjs';
import { test, until } from '../kit/test.mjs';

test('a lock is held while its callback runs, and its outcome is passed on', () =>
  withHost(async (_, { locks }) => {
    const outcome = await locks.request('a', async (lock) => {
      assert.deepEqual([lock.name, lock.mode], ['a', 'exclusive']);
      assert.deepEqual((await locks.query()).held.map(({ name, mode }) => [name, mode]), [['a', 'exclusive']]);
      return 'outcome';
    });
    assert.equal(outcome, 'outcome');
    await assert.rejects(locks.request('a', () => { throw new RangeError('mine'); }), RangeError);
    assert.equal(await locks.request('a', { ifAvailable: true }, (lock) => lock !== null), true);
  }));

test('shared locks go together, exclusive ones alone, in the order of the requests', () =>
  withHost(async (_, { locks }) => {
    const order = [];
    const gates = Array.from({ length: 4 }, () => deferred());
    const requests = ['shared', 'shared', 'exclusive', 'shared'].map((mode, n) =>
      locks.request('a', { mode }, () => {
        order.push(n);
        return gates[n].promise;
      }),
    );
    await until(() => order.length === 2, 'the first two were granted');
    assert.equal((await locks.query()).pending.length, 2);
    gates[0].resolve();
    gates[1].resolve();
    await until(() => order.length === 3, 'the exclusive one was granted');
    gates[2].resolve();
    gates[3].resolve();
    await Promise.all(requests);
    assert.deepEqual(order, [0, 1, 2, 3]);
  }));

test('bad requests are refused as in a browser', () =>
  withHost(async (_, { locks }) => {
    await assert.rejects(locks.request('-a', () => 1), { name: 'NotSupportedError' });
    await assert.rejects(locks.request('a', { steal: true, ifAvailable: true }, () => 1), { name: 'NotSupportedError' });
    await assert.rejects(locks.request('a'), TypeError);
    await assert.rejects(locks.request('a', { mode: 'other' }, () => 1), TypeError);
    await assert.rejects(locks.request('a', { signal: AbortSignal.abort() }, () => 1), { name: 'AbortError' });
  }));

test('a request is aborted while it waits', () =>
  withHost(async (host, { locks }) => {
    const peer = await startPeer(host.root);
    await peer.ask('lock', 'a');
    const controller = new AbortController();
    const request = locks.request('a', { signal: controller.signal }, () => 'granted');
    await until(async () => (await locks.query()).pending.length === 1, 'the request waits');
    controller.abort(new Error('enough'));
    await assert.rejects(request, { message: 'enough' });
    await peer.ask('unlock', 'a');
    await peer.leave();
  }));

test('another process waits for this one, and this one for it', () =>
  withHost(async (host, { locks }) => {
    const peer = await startPeer(host.root);
    await locks.request('a', async () => {
      assert.equal(await peer.ask('ifAvailable', 'a'), false);
      assert.equal(await peer.ask('ifAvailable', 'b'), true);
      peer.tell('lock', 'a');
      await until(async () => (await locks.query()).pending.length === 1, 'it waits');
    });
    assert.equal(await peer.answer(), 'held');
    const { held } = await locks.query();
    assert.deepEqual(held.map(({ name }) => name), ['a']);
    const waiting = locks.request('a', () => 'mine');
    await peer.ask('unlock', 'a');
    assert.equal(await waiting, 'mine');
    await peer.leave();
  }));

test('a lock is stolen from another process, which is told', () =>
  withHost(async (host, { locks }) => {
    const peer = await startPeer(host.root);
    await peer.ask('lock', 'a');
    assert.equal(await locks.request('a', { steal: true }, () => 'stolen'), 'stolen');
    assert.deepEqual(await peer.eventCount(1), [{ lost: 'a', error: 'AbortError' }]);
    await peer.ask('unlock', 'a');
    await peer.leave();
  }));

test('four processes count to 400 under one lock', () =>
  withHost(async (host) => {
    await Promise.all(Array.from({ length: 4 }, () => run('counter', { args: [host.root, '100'] })));
    assert.equal(host.origin('https://app.example').localStorage.getItem('count'), '400');
  }));

test('a pending request keeps its process alive, a listener and an idle host do not', () =>
  withHost(async (host, { locks }) => {
    const idle = start('lingerer', { args: [host.root, 'idle'] });
    const { code, stderr } = await idle.ended;
    assert.equal(code, 0, stderr);
    let waiting;
    await locks.request('a', async () => {
      waiting = start('lingerer', { args: [host.root, 'waiting'] });
      await until(async () => (await locks.query()).pending.length === 1, 'it waits');
    });
    assert.deepEqual([(await waiting.ended).code, waiting.lines], [0, ['granted']]);
  }));

// Where a runtime may not look at other processes (Deno with few permissions) a lease of 30 s decides.
test('what a killed process held is granted to who waits for it', () =>
  withHost(async (host, { locks, storage }) => {
    const peer = await startPeer(host.root);
    await peer.ask('lock', 'a');
    await peer.ask('open', 'file');
    const waiting = locks.request('a', () => 'granted');
    await until(async () => (await locks.query()).pending.length === 1, 'the request waits');
    await peer.kill();
    assert.equal(await waiting, 'granted');
    const file = await (await storage.getDirectory()).getFileHandle('file');
    const handle = await until(() => file.createSyncAccessHandle().catch((error) => {
      if (error.name !== 'NoModificationAllowedError') throw error;
    }), 'the file is free');
    handle.close();
  }));

test('a store that grows by locks alone stays small', () =>
  withHost(async (host, { locks }) => {
    for (let n = 0; n < 300; n++) await locks.request(`lock ${n}`, () => undefined);
    const folder = join(host.root, 'origins/https_app.example/default/locks');
    const { readdirSync } = await import('node:fs');
    const sizes = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile()).map(({ name }) => readFileSync(join(folder, name)).length);
    assert.ok(sizes.reduce((sum, size) => sum + size) < 2 ** 21, `${sizes}`);
  }));

function deferred() {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
}
