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
