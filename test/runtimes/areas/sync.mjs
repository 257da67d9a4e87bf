// Two regions and a hub, all of them here: docs/SYNC.md.
import assert from 'node:assert/strict';
import { StorageHost } from 'holdfast';
import { embeddedHub, startHub } from 'holdfast/sync';
import { newRoot, origin } from '../kit/place.mjs';
import { test, until } from '../kit/test.mjs';

const token = 'a-token-of-this-test';

/** Calls `body` with a hub, and with what opens regions of it; closes all that was opened. */
async function withHub(body) {
  const hub = await startHub({ root: newRoot(), token });
  const hosts = [];
  const open = (region, { root = newRoot(), files = 'lazy' } = {}) => {
    const host = new StorageHost({ root, sync: { hub: embeddedHub({ url: hub.url, token }), region, files } });
    hosts.push(host);
    return host.origin(origin);
  };
  try {
    await body(open, hub);
  } finally {
    await Promise.all(hosts.map((host) => host.close()));
    await hub.close();
  }
}

async function write({ storage }, name, text) {
  const writable = await (await (await storage.getDirectory()).getFileHandle(name, { create: true })).createWritable();
  await writable.write(text);
  await writable.close();
}

async function read({ storage }, name) {
  return (await (await (await storage.getDirectory()).getFileHandle(name)).getFile()).text();
}

test('what one region writes to localStorage comes to the other, in one order', () =>
  withHub(async (open) => {
    const [eu, us] = [open('eu'), open('us')];
    eu.localStorage.setItem('b', 'from eu');
    eu.localStorage.setItem('a', 'lone \ud800 surrogate');
    await eu.sync.flush();
    await us.sync.caughtUp();
    us.localStorage.setItem('b', 'from us');
    us.localStorage.removeItem('never there');
    us.localStorage.setItem('c', '.'.repeat(100_000));
    await us.sync.flush();
    await eu.sync.caughtUp();
    const items = [['b', 'from us'], ['a', 'lone \ud800 surrogate'], ['c', '.'.repeat(100_000)]];
    assert.deepEqual(Object.entries(eu.localStorage), items);
    assert.deepEqual(Object.entries(us.localStorage), items);
    const { region, connected, pending, lag, rejected, problem } = eu.sync.status();
    assert.deepEqual({ region, connected, pending, lag, rejected, problem }, { region: 'eu', connected: true, pending: 0, lag: 0, rejected: 0, problem: '' });
  }));

test('storage events tell of what another region wrote, without anybody asking', () =>
  withHub(async (open) => {
    const [eu, us] = [open('eu'), open('us')];
    const heard = [];
    us.addEventListener('storage', ({ key, newValue }) => heard.push([key, newValue]));
    eu.localStorage.setItem('k', 'v');
    await until(() => heard.length > 0, 'the event is there');
    assert.deepEqual(heard, [['k', 'v']]);
  }));

for (const files of ['lazy', 'eager']) {
  test(`files come to the other region, ${files}`, () =>
    withHub(async (open) => {
      const [eu, us] = [open('eu', { files }), open('us', { files })];
      const large = 'abcdefgh'.repeat(200_000);
      await write(eu, 'small', 'content');
      await write(eu, 'large', large);
      await eu.sync.flush();
      await us.sync.caughtUp();
      assert.equal(await read(us, 'small'), 'content');
      assert.equal(await read(us, 'large'), large);
      await (await us.storage.getDirectory()).removeEntry('large');
      await write(us, 'small', 'changed');
      await us.sync.flush();
      await eu.sync.caughtUp();
      assert.equal(await read(eu, 'small'), 'changed');
      await assert.rejects(read(eu, 'large'), { name: 'NotFoundError' });
    }));
}

test('a comparison is decided in the order, and a refused one is told', () =>
  withHub(async (open) => {
    const [eu, us] = [open('eu'), open('us')];
    assert.equal(await eu.sync.compareAndSet('lock', null, 'eu'), true);
    assert.equal(await us.sync.compareAndSet('lock', null, 'us'), false);
    assert.equal(us.localStorage.getItem('lock'), 'eu');
    const [{ serial, ...refused }] = us.sync.rejections();
    assert.deepEqual({ key: refused.key, value: refused.value, reason: refused.reason }, { key: 'lock', value: 'us', reason: 'expected' });
    us.sync.acknowledge({ area: 'localStorage', serial });
    assert.deepEqual(us.sync.rejections(), []);
    assert.equal(await us.sync.read(() => us.localStorage.getItem('lock')), 'eu');
  }));

test('what was written without the hub is sent after a restart', () =>
  withHub(async (open) => {
    const root = newRoot();
    const lonely = new StorageHost({ root, sync: { hub: embeddedHub({ url: 'http://127.0.0.1:1', token }), region: 'eu' } });
    const before = lonely.origin(origin);
    for (let n = 0; n < 100; n++) before.localStorage.setItem(`k${n}`, String(n));
    await write(before, 'file', 'offline');
    assert.ok(before.sync.status().pending >= 100);
    await lonely.close();
    const [eu, us] = [open('eu', { root }), open('us')];
    await eu.sync.flush();
    await us.sync.caughtUp();
    assert.deepEqual(Object.entries(us.localStorage), Array.from({ length: 100 }, (_, n) => [`k${n}`, String(n)]));
    assert.equal(await read(us, 'file'), 'offline');
  }));

test('a wrong token is told, and the region works without the hub', () =>
  withHub(async (open, { url }) => {
    const host = new StorageHost({ root: newRoot(), sync: { hub: embeddedHub({ url, token: 'another-token' }), region: 'eu' } });
    const app = host.origin(origin);
    app.localStorage.setItem('k', 'v');
    await until(() => app.sync.status().problem !== '', 'the problem is told');
    assert.equal(app.sync.status().connected, false);
    assert.equal(app.localStorage.getItem('k'), 'v');
    assert.ok(!app.sync.status().problem.includes('another-token'));
    await host.close();
  }));
