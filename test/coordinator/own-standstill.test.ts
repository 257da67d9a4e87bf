/** Who stands still hears nobody: that is not the silence of others. */
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Connection } from '../../src/coordinator/sockets/connection.ts';
import { decodeFrame } from '../../src/coordinator/sockets/frames.ts';
import { PING, PONG } from '../../src/coordinator/sockets/messages.ts';
import { whenPatienceEnds } from '../../src/coordinator/sockets/patience.ts';
import { Peer } from '../../src/coordinator/sockets/peer.ts';
import { writeValue } from '../../src/disk/values/write-value.ts';
import { temporaryDirectory } from '../host/support.ts';

const SUSPECT_AFTER = 200;

const KEY = { origin: 'https://app.example', className: 'Desk', name: 'a' };
const CALL = { caller: 1, number: 1, got: 0, isAgain: false, method: 'work', args: writeValue([]), chain: [] };

/** A peer with a call that does not end, which answers every ping or none; `ends`: whether it was a suspect, once it has ended. */
async function peerThat(answers: boolean): Promise<{ peer: Peer; pings: () => number; ends: boolean[] }> {
  let pings = 0;
  const server = net.createServer((socket) => {
    const answer = (frame: Buffer): void => {
      if (decodeFrame(frame)[0] !== PING) return;
      pings += 1;
      if (answers) connection.send([PONG]);
    };
    const connection = new Connection(socket, answer, () => undefined);
  });
  const address = path.join(temporaryDirectory(), 'socket');
  server.listen(address);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const socket = net.connect(address);
  await once(socket, 'connect');
  const ends: boolean[] = [];
  const peer = new Peer(socket, { suspectAfter: SUSPECT_AFTER, onEnd: (isSuspect) => ends.push(isSuspect) });
  onTestFinished(() => peer.end());
  peer.call(KEY, CALL, { resolve: () => undefined, reject: () => undefined });
  return { peer, pings: () => pings, ends };
}

/** The loop does not turn. */
function standStill(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

test('who stands still amid a call takes nobody for hung who answers', async () => {
  const { pings, ends } = await peerThat(true);
  for (let goal = 2; goal <= 6; goal += 2) {
    await expect.poll(pings, { interval: 5 }).toBeGreaterThanOrEqual(goal);
    standStill(3 * SUSPECT_AFTER);
  }
  await expect.poll(pings, { interval: 5 }).toBeGreaterThanOrEqual(10);
  expect(ends).toEqual([]);
});

test('nor while it asks whether somebody is there', async () => {
  const { peer, ends } = await peerThat(true);
  const isThere = peer.answers();
  standStill(3 * SUSPECT_AFTER);
  expect([await isThere, ends]).toEqual([true, []]);
});

test('who is silent while the other has its turns is hung', async () => {
  const { peer, ends } = await peerThat(false);
  standStill(3 * SUSPECT_AFTER);
  await expect.poll(() => ends, { interval: 5 }).toEqual([true]);
  expect(await peer.answers()).toBe(false);
});

test('who does not wait any more is not called back', async () => {
  let hasEnded = false;
  const forget = whenPatienceEnds(20, () => (hasEnded = true));
  forget();
  await new Promise<void>((resolve) => void whenPatienceEnds(60, resolve));
  expect(hasEnded).toBe(false);
});
