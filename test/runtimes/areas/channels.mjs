// BroadcastChannel over processes. https://html.spec.whatwg.org/#broadcasting-to-other-browsing-contexts
import assert from 'node:assert/strict';
import { startPeer } from '../kit/peer.mjs';
import { withHost } from '../kit/place.mjs';
import { test, until } from '../kit/test.mjs';

test('a message reaches other channels of its name, as a clone, and not its own', () =>
  withHost(async (_, { BroadcastChannel }) => {
    const [one, other, elsewhere] = ['a', 'a', 'b'].map((name) => new BroadcastChannel(name));
    const heard = [];
    for (const channel of [one, other, elsewhere]) channel.onmessage = ({ data, target }) => heard.push([target === other, data]);
    const message = { when: new Date(5), map: new Map([['k', 1n]]), bytes: new Uint8Array([1, 2]) };
    one.postMessage(message);
    await until(() => heard.length === 1, 'it came');
    assert.deepEqual(heard, [[true, message]]);
    assert.throws(() => one.postMessage(() => 1), { name: 'DataCloneError' });
    for (const channel of [one, other, elsewhere]) channel.close();
    assert.throws(() => one.postMessage(1), { name: 'InvalidStateError' });
  }));

test('processes hear each other, in the order of the messages', () =>
  withHost(async (host, { BroadcastChannel }) => {
    const peer = await startPeer(host.root);
    await peer.ask('hear', 'news');
    const channel = new BroadcastChannel('news');
    const heard = [];
    channel.addEventListener('message', ({ data }) => heard.push(data));
    for (let n = 0; n < 20; n++) channel.postMessage(n);
    assert.deepEqual(await peer.eventCount(20), Array.from({ length: 20 }, (_, data) => ({ channel: 'news', data })));
    await peer.ask('post', 'news', ['from', 'there']);
    await until(() => heard.length === 1, 'it came');
    assert.deepEqual(heard, [['from', 'there']]);
    channel.close();
    await peer.leave();
  }));

// Of all runtimes that are here, the first and the last: each other one meets both.
const others = (process.env.TEST_RUNTIMES ?? '').split(',').filter((name) => name !== '');
for (const on of new Set([others[0], others.at(-1)])) {
  test(`processes, one of ${on ?? 'this runtime'}, hand each other Blobs`, () =>
    withHost(async (host, { BroadcastChannel }) => {
      const peer = await startPeer(host.root, { on });
      await peer.ask('hear', 'news');
      const channel = new BroadcastChannel('news');
      const heard = [];
      channel.onmessage = ({ data }) => heard.push(data);
      channel.postMessage(new Blob(['x'.repeat(100_000), 'end'], { type: 'image/png' }));
      const [{ data }] = await peer.eventCount(1);
      assert.deepEqual(data, { text: `${'x'.repeat(100_000)}end`, type: 'image/png' });
      await peer.ask('postBlob', 'news', 'from there', 'image/gif');
      await until(() => heard.length === 1, 'it came');
      await peer.kill();
      assert.deepEqual([await heard[0].text(), heard[0].type], ['from there', 'image/gif']);
      channel.close();
    }));
}
