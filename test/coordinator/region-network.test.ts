import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { callBy } from '../../src/coordinator/line.ts';
import { encodeFrame } from '../../src/coordinator/sockets/frames.ts';
import { writeValue } from '../../src/disk/values/write-value.ts';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import { RegionPeer } from '../../src/coordinator/regions/region-peer.ts';
import { RegionStore } from '../../src/coordinator/regions/region-store.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { embeddedHub } from '../../src/sync/index.ts';
import { HUB_TOKEN, ORIGIN, TOKEN, folder, startRegions, unasked, type Region } from './regions-support.ts';

describe('a region that is silent', () => {
  const key = { origin: ORIGIN, className: 'Counter', name: 'visits' };
  const call = { caller: 1, number: 1, method: 'read', args: writeValue([]), chain: [], got: 0, isAgain: false };

  test('is noticed amid a call, which can be sent elsewhere', async () => {
    const requests: string[] = [];
    let isSilent = false;
    const server = http.createServer((request, response) => {
      requests.push(request.headers['content-length'] === '0' ? 'question' : 'call');
      // No call is answered.
      if (!isSilent && request.headers['content-length'] === '0') response.writeHead(204).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close().closeAllConnections());
    const peer = new RegionPeer('us', { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, token: TOKEN }, () => performance.now(), 300);
    // More than there are connections: questions wait for none of them.
    const called = Promise.allSettled(Array.from({ length: 100 }, (_, index) => callBy(peer, key, { ...call, number: index + 1 })));
    await vi.waitFor(() => expect(requests).toContain('question'), { timeout: 30_000 });
    isSilent = true;
    for (const outcome of await called) expect(outcome).toMatchObject({ status: 'rejected', reason: { isLost: true } });
  });

  test('and a hub that is: what waits for it ends', async () => {
    const never = (): Promise<never> => new Promise(() => undefined);
    const log = { head: never, append: never, read: never, snapshot: never, putSnapshot: never, trim: never };
    const store = new RegionStore(log, { quota: 1e6, lease: 0, patience: 50, announce: unasked, register: unasked });
    await expect(store.look()).rejects.toMatchObject({ code: 'coordinator-unavailable', outcome: 'not-run' });
  });
});

describe('the handler for other regions', () => {
  const post = (body: Uint8Array | null, headers: Record<string, string> = { authorization: `Bearer ${TOKEN}` }, method = 'POST'): Request =>
    new Request('https://eu.example/coordinators', { method, headers, ...(body === null ? {} : { body: body as Uint8Array<ArrayBuffer> }) });

  test('lets nobody in without its token, and reads nothing of theirs', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const { handler } = (regions[0] as Region).coordinators;
    for (const authorization of ['', 'Bearer', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
      const request = post(Buffer.from('x'), { authorization });
      expect((await handler(request)).status).toBe(401);
      expect(request.bodyUsed).toBe(false);
    }
    expect((await handler(post(null, {}))).status).toBe(401);
    expect((await handler(post(null))).status).toBe(204);
    expect((await handler(post(null, { authorization: `Bearer ${TOKEN}` }, 'GET'))).status).toBe(405);
  });

  test('survives any bytes', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    const { handler } = (regions[0] as Region).coordinators;
    const call = [0, 0, ORIGIN, 'Counter', 'visits', 1, 1, 0, 'increment', [], false];
    const framed = (message: readonly unknown[]): Uint8Array => encodeFrame(message, writeValue([]));
    const hostile: Uint8Array[] = [Buffer.from('x'), Buffer.alloc(1000), writeValue('text'), framed([]), framed([1, 2]), framed(call.slice(0, 5)), framed([...call.slice(0, 3), '../..', ...call.slice(4)]), framed([...call.slice(0, 4), 'x'.repeat(600), ...call.slice(5)])];
    const whole = framed(call);
    for (let at = 0; at < whole.length; at += 7) hostile.push(whole.subarray(0, at + 1), Uint8Array.from(whole, (byte, index) => (index === at ? byte ^ 0xff : byte)));
    for (const bytes of hostile) expect((await handler(post(bytes))).status).toBeOneOf([200, 400]);
    expect((await handler(post(whole))).status).toBe(200);
  });

  test('reads no more than a call may have', async () => {
    const { regions } = await startRegions(['eu', 'us']);
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 2 ** 20;
        controller.enqueue(new Uint8Array(2 ** 20));
      },
    });
    const request = new Request('https://eu.example/', { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` }, body: endless, duplex: 'half' } as RequestInit);
    expect((await (regions[0] as Region).coordinators.handler(request)).status).toBe(413);
    expect(sent).toBeLessThan(2 ** 26);
  });

  test('wrong options are refused', async () => {
    const hub = embeddedHub({ url: 'http://127.0.0.1:1', token: HUB_TOKEN });
    const host = new StorageHost({ root: path.join(folder(), 'eu') });
    const good = { hub, region: 'eu', token: TOKEN, peers: {} };
    const wrong: unknown[] = [
      { ...good, hub: {} },
      { ...good, region: 'EU/1' },
      { ...good, token: 'short' },
      { ...good, token: [] },
      { ...good, peers: { eu: { url: 'https://eu.example', token: TOKEN } } },
      { ...good, peers: { us: { url: 'http://us.example', token: TOKEN } } },
      { ...good, peers: { us: { url: 'https://u:p@us.example', token: TOKEN } } },
      { ...good, reads: 'fast' },
      { ...good, reads: { leased: 1e9 } },
      { ...good, other: 1 },
    ];
    for (const regions of wrong) expect(() => new Coordinators(host, {}, { regions: regions as never }), JSON.stringify(regions)).toThrow(expect.objectContaining({ code: 'bad-option' }));
    expect(() => new Coordinators(host, {}).handler).toThrow(expect.objectContaining({ code: 'bad-option' }));
    await host.close();
    await hub.close();
  });
});
