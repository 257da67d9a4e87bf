import fs from 'node:fs';
import net from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { isOutOfDescriptors, shareOf } from '../../../src/sync/hubs/embedded/server/descriptors.ts';
import { embeddedHub } from '../../../src/sync/index.ts';
import { HubProcess } from './hub-process.ts';
import { connected, entry, startedHub } from './in-process.ts';

const broken = (code: string): Error => Object.assign(new Error(`${code}: of the test`), { code });

test('a log that finds no descriptor gives back those of the others, tries again, and goes on', async () => {
  const { url } = await startedHub();
  const hub = await connected(url);
  for (const name of ['one', 'two']) await hub.log(name).append([entry('a')]);
  const sync = vi.spyOn(fs, 'fdatasyncSync').mockImplementationOnce(() => {
    throw broken('EMFILE');
  });
  onTestFinished(() => sync.mockRestore());
  expect(await hub.log('one').append([entry('b')])).toBe(2);
  expect(await hub.log('two').append([entry('b')])).toBe(2);
});

test('a log that finds none at all says so, and is as before when there are some again', async () => {
  const { url } = await startedHub();
  const log = (await connected(url)).log('log');
  await log.append([entry('a')]);
  const syncs = (['fdatasyncSync', 'fsyncSync'] as const).map((name) =>
    vi.spyOn(fs, name).mockImplementation(() => {
      throw broken('EMFILE');
    }),
  );
  onTestFinished(() => syncs.forEach((sync) => sync.mockRestore()));
  const doubtful = entry('b');
  await expect(log.append([doubtful])).rejects.toMatchObject({ code: 'hub-unreachable', message: expect.stringContaining('no file descriptors left') });
  for (const sync of syncs) sync.mockRestore();
  expect(await log.append([doubtful])).toBe(2);
  expect((await log.read(0, 10)).map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['a', 'b']);
});

test('a hub under a flood of connections goes on, and lets go of them', async ({ skip }) => {
  if (process.platform !== 'linux') return skip('there is no ulimit here');
  const server = await HubProcess.start({ descriptors: 128 });
  onTestFinished(() => server.remove());
  const hub = embeddedHub({ url: server.url, token: server.token });
  onTestFinished(() => hub.close());
  const logs = Array.from({ length: 100 }, (_, index) => hub.log(`log ${index}`));
  for (const log of logs) await log.head();
  const flood = Array.from({ length: 300 }, () => net.connect(Number(new URL(server.url).port), '127.0.0.1').on('error', () => undefined));
  onTestFinished(() => flood.forEach((socket) => socket.destroy()));
  await vi.waitFor(() => expect(flood.filter(({ destroyed, readableEnded }) => destroyed || readableEnded).length).toBeGreaterThan(100), { timeout: 30_000 });
  const log = hub.log('log 0');
  // The hub refuses nobody who has a token for good.
  await vi.waitFor(async () => expect(await log.append([entry('during the flood')])).toBeGreaterThan(0), { timeout: 30_000, interval: 200 });
  for (const socket of flood) socket.destroy();
  for (const each of logs) await vi.waitFor(async () => expect(await each.append([entry('after')])).toBeGreaterThan(0), { timeout: 30_000, interval: 200 });
  expect(fs.readdirSync(`/proc/${server.pid}/fd`).length).toBeLessThan(128);
  const text = await (await fetch(`${server.url}/metrics`)).text();
  expect(text).toMatch(/^process_max_fds 128$/m);
});

test('descriptors are divided so that connections never take all', () => {
  for (const limit of [64, 128, 1024, 1_048_576]) {
    const { connections, logs, files } = shareOf(limit);
    expect(connections + logs + files).toBeLessThanOrEqual(0.75 * limit);
  }
});

test('what failed for want of a descriptor is known by what caused it', () => {
  expect([broken('EMFILE'), broken('ENFILE'), new Error('x', { cause: broken('EMFILE') }), broken('EIO'), null, 'EMFILE'].map(isOutOfDescriptors)).toEqual([true, true, true, false, false, false]);
});
