import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { HubStore } from '../../../src/sync/hubs/embedded/server/hub-store.ts';
import { Budget } from '../../../src/sync/hubs/embedded/server/budget.ts';
import { beginMessage } from '../../../src/sync/hubs/embedded/protocol.ts';
import { connected, entry, startedHub, temporaryRoot, TOKEN } from './in-process.ts';
import { ask, refusalIn, send, written } from './request.ts';

/** A connection over which the test says what it wants. */
function rawConnection(url: string): net.Socket {
  const socket = net.connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

function announce(operation: string, length: number): string {
  return `POST /holdfast-hub/${operation} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${TOKEN}\r\nContent-Length: ${length}\r\n\r\n`;
}

async function metric(url: string, name: string): Promise<number> {
  const text = (await send(`${url}/metrics`, { method: 'GET', headers: {} })).body.toString();
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'm').exec(text)?.[1]);
}

describe('what a peer asks for is bounded', () => {
  test('what was announced and has not come keeps nobody out', async () => {
    const { url } = await startedHub();
    for (let count = 0; count < 8; count++) rawConnection(url).write(announce('put-snapshot', 2 ** 28));
    await vi.waitFor(async () => expect(await metric(url, 'holdfast_hub_connections')).toBeGreaterThanOrEqual(8), 30_000);
    expect((await ask(url, 'append', { log: 'log', entries: [entry('a')] })).status).toBe(200);
    expect(await metric(url, 'holdfast_hub_held_bytes')).toBe(0);
  });

  test('answers that nobody takes are held up to a limit; beyond it others are told to come again, and it recovers', async () => {
    const { url } = await startedHub();
    const log = (await connected(url)).log('log');
    await log.append([entry('a')]);
    const size = 2 ** 26;
    await log.putSnapshot({ position: 1, bytes: new Uint8Array(size) });
    const request = written('snapshot', { log: 'log' });
    const slow = Array.from({ length: 12 }, () => {
      const socket = rawConnection(url).pause();
      socket.write(Buffer.concat([Buffer.from(announce('snapshot', request.length)), request]));
      return socket;
    });
    await vi.waitFor(async () => expect(await metric(url, 'holdfast_hub_held_bytes')).toBeGreaterThan(7 * size), { timeout: 100_000 });
    const refused = await ask(url, 'snapshot', { log: 'log' });
    expect([refused.status, refusalIn(refused.body)?.code]).toEqual([503, 'hub-unreachable']);
    expect(await metric(url, 'holdfast_hub_held_bytes')).toBeLessThan(2 ** 29 + 2 ** 20);
    for (const socket of slow) socket.destroy();
    await vi.waitFor(async () => expect(await metric(url, 'holdfast_hub_held_bytes')).toBe(0), { timeout: 100_000 });
    expect((await log.snapshot())?.bytes.length).toBe(size);
  });

  test('logs that there are not leave nothing behind, however many are asked about', async () => {
    const { url, root } = await startedHub();
    const watched = Array.from({ length: 50_000 }, (_, index) => ({ log: `none ${index}`, position: 1 }));
    expect((await ask(url, 'wait', { watched })).status).toBe(200);
    expect(await metric(url, 'holdfast_hub_watched_logs')).toBe(0);
    expect(await metric(url, 'holdfast_hub_logs')).toBe(0);
    expect(fs.readdirSync(path.join(root, 'logs'))).toEqual([]);
    const store = new HubStore(root, () => undefined);
    const before = store.find('none 1');
    expect([before, store.find('none 1')]).toEqual([null, null]);
  });

  test.each([
    ['logs to wait for', 'wait', beginMessage().u32(2 ** 16 + 1).raw(new Uint8Array(12 * (2 ** 16 + 1))).finish()],
    ['entries to append', 'append', beginMessage().units('log').u32(2 ** 16 + 1).raw(new Uint8Array(6 * (2 ** 16 + 1))).finish()],
    ['blobs to ask about', 'has-blobs', beginMessage().units('log').u32(2 ** 15 + 1).raw(new Uint8Array(32 * (2 ** 15 + 1))).finish()],
    ['items that cannot be there', 'append', beginMessage().units('log').u32(2 ** 32 - 1).finish()],
  ])('too many %s are refused', async (_, operation, body) => {
    const { url } = await startedHub();
    expect((await send(`${url}/holdfast-hub/${operation}`, { body })).status).toBe(400);
  });

  test('one answer has 65,536 entries at most', async () => {
    const { url } = await startedHub();
    const log = (await connected(url)).log('log');
    const tiny = (part: number) => Array.from({ length: 40_000 }, (_, index) => ({ id: `${part}.${index}`, bytes: new Uint8Array() }));
    await log.append(tiny(1));
    await log.append(tiny(2));
    expect(await log.read(0, 2 ** 32 - 1)).toHaveLength(2 ** 16);
  });

  test('there are no more logs than the hub takes; those that there are go on', async () => {
    const { url, root, close } = await startedHub({ maxLogs: 2 });
    const hub = await connected(url);
    for (const name of ['one', 'two']) await hub.log(name).append([entry('a')]);
    await expect(hub.log('three').append([entry('a')])).rejects.toMatchObject({ code: 'hub-unreachable', message: expect.stringContaining('2 logs') });
    expect(await hub.log('one').append([entry('b')])).toBe(2);
    await close();
    const next = await startedHub({ root, maxLogs: 2 });
    await expect((await connected(next.url)).log('three').head()).rejects.toMatchObject({ code: 'hub-unreachable' });
  });

  test('of more connections than there may be, one without a token gives way', async () => {
    const { url } = await startedHub({ maxConnections: 6 });
    const log = (await connected(url)).log('log');
    await log.append([entry('a')]);
    const idle = Array.from({ length: 20 }, () => rawConnection(url));
    await vi.waitFor(() => expect(idle.filter(({ destroyed }) => destroyed).length).toBeGreaterThanOrEqual(14), 30_000);
    expect(await log.append([entry('b')])).toBe(2);
    expect(await metric(url, 'holdfast_hub_connections')).toBeLessThanOrEqual(6);
    expect(await metric(url, 'holdfast_hub_connections_refused_total')).toBeGreaterThanOrEqual(14);
  });

  test('a head of a request that is too long, or never ends, ends the connection', async () => {
    const { url } = await startedHub();
    const long = rawConnection(url).resume();
    long.write(`POST /holdfast-hub/hello HTTP/1.1\r\nX: ${'x'.repeat(2 ** 14)}`);
    const slow = rawConnection(url).resume();
    slow.write('POST /holdfast-hub/hello HTTP/1.1\r\n');
    await vi.waitFor(() => expect([long.closed, slow.closed]).toEqual([true, true]), { timeout: 100_000, interval: 200 });
  });

  test('what a refused request goes on to send is not taken for ever', async () => {
    const { url } = await startedHub();
    const socket = rawConnection(url);
    socket.resume();
    socket.write(announce('head', 10 ** 14));
    const part = Buffer.alloc(2 ** 20);
    let sent = 0;
    const more = (): void => {
      while (!socket.destroyed && sent < 2 ** 28) {
        sent += part.length;
        if (!socket.write(part)) return void socket.once('drain', more);
      }
    };
    more();
    await vi.waitFor(() => expect(socket.destroyed).toBe(true), { timeout: 30_000 });
    expect(sent).toBeLessThan(2 ** 28);
  });
});

describe('a budget', () => {
  test('gives nobody more than half where there are others, and all of it to one alone', () => {
    let isShared = false;
    const budget = new Budget<string>(100, () => isShared);
    expect(budget.take('a', 100)).toBe(true);
    expect(budget.take('b', 1)).toBe(false);
    budget.give('a', 100);
    isShared = true;
    expect([budget.take('a', 51), budget.take('a', 50), budget.take('a', 1), budget.take('b', 50)]).toEqual([false, true, false, true]);
    budget.give('a', 50);
    expect(budget.held).toBe(50);
  });
});

test('a snapshot beyond the head that an earlier version took gives way to an honest one', async () => {
  const root = temporaryRoot();
  const first = await startedHub({ root });
  const log = (await connected(first.url)).log('log');
  await log.append([entry('a'), entry('b')]);
  await first.close();
  const folder = path.join(root, 'logs/log/snapshots');
  fs.mkdirSync(folder);
  fs.writeFileSync(path.join(folder, String(Number.MAX_SAFE_INTEGER)), 'garbage');
  const { url } = await startedHub({ root });
  const again = (await connected(url)).log('log');
  expect(await again.snapshot()).toBeNull();
  await again.trim(2);
  expect((await again.head()).first).toBe(1);
  await again.putSnapshot({ position: 2, bytes: Buffer.from('honest') });
  expect(Buffer.from((await again.snapshot())?.bytes ?? []).toString()).toBe('honest');
  expect(fs.readdirSync(folder)).toEqual(['2']);
});
