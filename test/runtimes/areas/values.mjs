// The written format of values, which databases, channels and coordinators share: docs/FORMAT.md.
import assert from 'node:assert/strict';
import { assertEveryKind, everyKind, uncloneable } from '../kit/kinds.mjs';
import { startPeer } from '../kit/peer.mjs';
import { withHost } from '../kit/place.mjs';
import { test, until } from '../kit/test.mjs';

/** The next message of a channel. */
async function heard(channel) {
  let event;
  channel.onmessage = (message) => (event = message);
  await until(() => event !== undefined, 'a message came');
  return event.data;
}

test('values of every kind come back as structuredClone gives them', () =>
  withHost(async (_, { BroadcastChannel }) => {
    const [one, other] = [new BroadcastChannel('a'), new BroadcastChannel('a')];
    const message = heard(other);
    one.postMessage(everyKind());
    assertEveryKind(await message);
    for (const channel of [one, other]) channel.close();
  }));

test('what cannot be cloned is refused', () =>
  withHost((_, { BroadcastChannel }) => {
    const channel = new BroadcastChannel('a');
    for (const [name, value] of Object.entries(uncloneable)) assert.throws(() => channel.postMessage({ value }), { name: 'DataCloneError' }, name);
    channel.close();
  }));

const others = (process.env.TEST_RUNTIMES ?? '').split(',').filter((name) => name !== '');
for (const on of others.length === 0 ? [undefined] : others) {
  test(`what ${on ?? 'this runtime'} writes is read here`, () =>
    withHost(async (host, { BroadcastChannel }) => {
      const channel = new BroadcastChannel('a');
      const message = heard(channel);
      const peer = await startPeer(host.root, { on });
      await peer.ask('postEveryKind', 'a');
      assertEveryKind(await message);
      channel.close();
      await peer.leave();
    }));
}
