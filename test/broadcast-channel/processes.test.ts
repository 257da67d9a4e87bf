import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { beforeAll, expect, test } from 'vitest';
import '../../src/host/broadcast-channel/provided.ts';
import { bundleFixture } from '../support/bundle.ts';
import { openHost } from '../host/support.ts';
import { until } from './until.ts';

let fixture: string;
beforeAll(async () => {
  fixture = await bundleFixture(new URL('channel-fixture.ts', import.meta.url));
});

function start(...args: readonly string[]): { lines: AsyncIterator<string>; ended: Promise<unknown[]> } {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  return { lines: createInterface({ input: child.stdout })[Symbol.asyncIterator](), ended: once(child, 'exit') };
}

test('processes hear each other, in one order, and end when their channels are closed', async () => {
  const host = openHost();
  const heard: unknown[] = [];
  const own = new (host.origin('https://app.example').BroadcastChannel)('news');
  own.onmessage = ({ data }) => heard.push(data);
  const listeners = [1, 2].map(() => start(host.root, 'listen', 'news', '300'));
  for (const { lines } of listeners) expect((await lines.next()).value).toBe('listening');
  const posters = ['a', 'b', 'c'].map((who) => start(host.root, 'post', 'news', '100', who));
  const told = await Promise.all(listeners.map(async ({ lines }) => JSON.parse(String((await lines.next()).value)) as [string, number][]));
  await until(() => heard.length === 300);
  expect(told[0]).toEqual(heard);
  expect(told[1]).toEqual(heard);
  for (const who of ['a', 'b', 'c']) {
    expect(told[0]?.filter(([by]) => by === who).map(([, n]) => n)).toEqual(Array.from({ length: 100 }, (_, n) => n));
  }
  for (const { ended } of [...listeners, ...posters]) expect(await ended).toEqual([0, null]);
  own.close();
});

test.each(['silent', 'unref'])('a process ends though its channel is open, where nothing is to keep it: %s', async (work) => {
  const { ended } = start(openHost().root, work, 'news');
  expect(await ended).toEqual([0, null]);
});
