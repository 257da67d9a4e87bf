/** What makes no sense: bytes in the sockets, and messages of another form. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { decodeFrame, encodeFrame, FrameError, FrameReader } from '../../src/coordinator/sockets/frames.ts';
import { readCall, readFailed, readListed, readReply } from '../../src/coordinator/sockets/messages.ts';
import { readPlainCall } from '../../src/coordinator/sockets/plain-frames.ts';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import { openHost } from '../host/support.ts';
import { mulberry32 } from '../support/mulberry32.ts';
import { ORIGIN, Register } from './server-fixture.ts';

const random = mulberry32(14);
const below = (most: number): number => Math.floor(random() * most);
const call = [0, 1, ORIGIN, 'Register', 'a', 5, 1, 0, 'read', [], false];

/** A frame with some bytes that are not as they were, in pieces. */
function damaged(): Buffer[] {
  const bytes = Buffer.from(encodeFrame(call, new Uint8Array(3)));
  for (let n = 1 + below(4); n > 0; n--) bytes[below(bytes.length)] = below(256);
  const cut = below(bytes.length);
  return [bytes.subarray(0, cut), bytes.subarray(cut)];
}

test('bytes that make no sense are a FrameError, or a message', () => {
  const refused: unknown[] = [];
  for (let round = 0; round < 3000; round++) {
    const reader = new FrameReader();
    try {
      for (const chunk of damaged()) reader.push(chunk, (frame) => readPlainCall(frame) ?? readCall(decodeFrame(frame)));
    } catch (error) {
      refused.push(error);
    }
  }
  expect(refused.length).toBeGreaterThan(100);
  expect(refused.filter((error) => !(error instanceof FrameError))).toEqual([]);
});

test('messages of another form are a FrameError', () => {
  const things = [null, undefined, -1, 1.5, NaN, 'x', {}, [], [[]], [[1]], new Uint8Array(1), true, 2 ** 60, new Map()];
  for (const read of [readCall, readReply, readFailed, readListed]) {
    for (let round = 0; round < 500; round++) {
      const message = Array.from({ length: below(13) }, () => things[below(things.length)]);
      try {
        read(message);
      } catch (error) {
        expect(error).toBeInstanceOf(FrameError);
      }
    }
  }
});

test('a process goes on that is sent what makes no sense', async () => {
  const host = openHost();
  const coordinators = new Coordinators(host, { Register });
  onTestFinished(() => coordinators.close());
  expect(await coordinators.get(ORIGIN, Register, 'a').increment()).toBe(1);
  const folder = path.join(host.root, 'coordinators/s');
  const address = fs.readdirSync(folder).find((name) => !name.endsWith('.json')) ?? '';
  for (const bytes of [Buffer.alloc(64, 0xff), Buffer.concat(damaged()), Buffer.from([255, 255, 255, 2]), Buffer.from(encodeFrame([0, 'x']))]) {
    const socket = net.connect(path.join(folder, address));
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.end(bytes);
    socket.resume();
    await once(socket, 'close');
  }
  expect(await coordinators.get(ORIGIN, Register, 'a').increment()).toBe(2);
});
