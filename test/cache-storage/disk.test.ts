import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Cache } from '../../src/cache-storage/cache.ts';
import { isHarmless } from '../../src/disk/verify/finding.ts';
import { bundleFixture } from '../support/bundle.ts';
import { collectGarbage } from '../host/support.ts';
import { verify } from '../verify/sample.ts';
import { bodyOf, cachesIn, newRoot, openClient, openHost, origin, responsesIn, until } from './support.ts';
import { isEncrypted } from '../support/sealed.ts';

const url = 'https://a.example/page';

const textIn = async (cache: Cache): Promise<string | undefined> => (await cache.match(url))?.text();

describe('a body', () => {
  it('streams in and out, and is whole', async () => {
    const root = newRoot();
    const cache = await openClient(root).caches.open('large');
    await cache.put(url, new Response(bodyOf(3_000_000, 70_001)));
    const other = await openClient(root).caches.open('large');
    const body = new Uint8Array(await (await other.match(url))?.arrayBuffer() as ArrayBuffer);
    expect(body.byteLength).toBe(3_000_000);
    expect(responsesIn(root)).toHaveLength(1);
  });

  it.each([70_000, 2 ** 20, 3_000_000])('of %d bytes is given in a buffer of its own, once', async (size) => {
    const cache = await openClient().caches.open('a');
    await cache.put(url, new Response(bodyOf(size, 70_001)));
    const [found, cloned] = [await cache.match(url), await cache.match(url)];
    const clone = cloned?.clone();
    const expected = await new Response(bodyOf(size, 70_001)).arrayBuffer();
    const reading = found?.arrayBuffer();
    expect([found?.bodyUsed, found?.body?.locked]).toEqual([true, true]);
    await expect(found?.arrayBuffer()).rejects.toThrow(TypeError);
    const buffer = await reading;
    expect(buffer && Buffer.from(buffer).equals(Buffer.from(expected))).toBe(true);
    await expect(found?.arrayBuffer()).rejects.toThrow(TypeError);
    expect(() => found?.clone()).toThrow(TypeError);
    const own = new Uint8Array((await cloned?.arrayBuffer()) as ArrayBuffer);
    own.fill(0);
    expect(Buffer.from((await clone?.arrayBuffer()) as ArrayBuffer).equals(Buffer.from(expected))).toBe(true);
  });

  // Deriving a key joins buffers, too.
  it.skipIf(isEncrypted)('is not copied on its way into a buffer, and one that is being read otherwise is not given', async () => {
    const cache = await openClient().caches.open('a');
    await cache.put(url, new Response(bodyOf(2 ** 20, 70_001)));
    const end = vi.spyOn(Response.prototype, 'arrayBuffer');
    const concat = vi.spyOn(Buffer, 'concat');
    expect((await (await cache.match(url))?.arrayBuffer())?.byteLength).toBe(2 ** 20);
    expect([end, concat].map(({ mock }) => mock.calls.length)).toEqual([0, 0]);
    vi.restoreAllMocks();
    const read = await cache.match(url);
    await read?.body?.getReader().read();
    await expect(read?.arrayBuffer()).rejects.toThrow(TypeError);
  });

  it.skipIf(isEncrypted).each([70_000, 2 ** 20, 3_000_000])('of %d bytes comes by one read, in the buffer that was read into', async (size) => {
    const cache = await openClient().caches.open('a');
    await cache.put(url, new Response(bodyOf(size, 70_001)));
    const found = await cache.match(url);
    const read = vi.spyOn(fs, 'read');
    const buffer = await found?.arrayBuffer();
    expect(read.mock.calls.map((args) => (args as unknown as [number, Uint8Array])[1].buffer === buffer)).toEqual([true]);
    vi.restoreAllMocks();
  });

  it('that was cut off since it was found is not given', async () => {
    const root = newRoot();
    const cache = await openClient(root).caches.open('a');
    await cache.put(url, new Response(bodyOf(2 ** 20, 70_001)));
    const found = await cache.match(url);
    for (const name of responsesIn(root)) fs.truncateSync(path.join(cachesIn(root), 'responses', name), 1000);
    await expect(found?.arrayBuffer()).rejects.toMatchObject({ name: 'NotReadableError' });
  });

  it('that fails or is given up in the middle leaves the old response, and nothing else', async () => {
    const root = newRoot();
    const cache = await openClient(root).caches.open('a');
    await cache.put(url, new Response('old'));
    for (const bytes of [10, 300_000]) {
      const failing = new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array(bytes)),
        pull: (controller) => controller.error(new RangeError('mine')),
      });
      await expect(cache.put(url, new Response(failing))).rejects.toThrow(new RangeError('mine'));
    }
    await expect(cache.put(url, new Response(new ReadableStream({ start: (controller) => controller.enqueue('no bytes' as never) })))).rejects.toThrow(TypeError);
    expect(await textIn(cache)).toBe('old');
    expect(responsesIn(root)).toHaveLength(1);
  });

  it('that is being read stays readable when it is replaced or deleted, in this realm or another', async () => {
    const root = newRoot();
    const cache = await openClient(root).caches.open('a');
    const other = await openClient(root).caches.open('a');
    for (const change of [(each: Cache) => each.put(url, new Response('new')), (each: Cache) => each.delete(url)]) {
      for (const changer of [cache, other]) {
        await cache.put(url, new Response('x'.repeat(400_000)));
        const begun = await cache.match(url);
        const unread = await cache.match(url);
        const reader = begun?.body?.getReader();
        let bytes = (await reader?.read())?.value?.byteLength ?? 0;
        await change(changer);
        for (let chunk = await reader?.read(); chunk?.done === false; chunk = await reader?.read()) bytes += chunk.value.byteLength;
        expect(bytes).toBe(400_000);
        expect(await unread?.text()).toHaveLength(400_000);
      }
    }
  });

  it('that nobody reads keeps no descriptor once descriptors run out', async () => {
    const root = newRoot();
    const cache = await openClient(root).caches.open('a');
    await cache.put(url, new Response('x'.repeat(400_000)));
    const unread = await Promise.all(Array.from({ length: 20 }, () => cache.match(url)));
    expect(openResponses()).toBe(20);
    const { withDescriptor } = await import('../../src/runtime/descriptors.ts');
    let calls = 0;
    withDescriptor(() => {
      if ((calls += 1) === 1) throw Object.assign(new Error('too many'), { code: 'EMFILE' });
    });
    expect(openResponses()).toBe(0);
    for (const response of unread) expect(await response?.text()).toHaveLength(400_000);
    expect(openResponses()).toBe(0);
  });

  it('that nobody reads closes its file once it is garbage', async () => {
    const cache = await openClient().caches.open('a');
    await cache.put(url, new Response('x'.repeat(400_000)));
    await (await Promise.all(Array.from({ length: 3 }, () => cache.match(url))))[0]?.body?.getReader().read();
    await until(async () => (await collectGarbage(), openResponses() === 0));
  });

  it('leaves the collector no more to watch, one after another', async () => {
    const cache = await openClient().caches.open('a');
    await cache.put(url, new Response('x'.repeat(400_000)));
    const read = async (): Promise<unknown> => (await cache.match(url))?.arrayBuffer();
    await read();
    const register = vi.spyOn(FinalizationRegistry.prototype, 'register');
    for (let n = 0; n < 20; n += 1) await read();
    expect(register.mock.calls.map(([target]) => (target as object).constructor.name).filter((name) => /Descriptor|Source/.test(name))).toEqual([]);
    vi.restoreAllMocks();
  });
});

function openResponses(): number {
  return fs.readdirSync('/proc/self/fd').filter((fd) => targetOf(fd).includes('/responses/')).length;
}

function targetOf(descriptor: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return '';
  }
}

describe('a deleted cache', () => {
  it('goes on for those who have it in this realm, and gives its space back with them', async () => {
    const root = newRoot();
    const host = openHost(root);
    const { caches, storage } = host.origin(origin);
    const cache = await caches.open('a');
    await cache.put(url, new Response('x'.repeat(100_000)));
    expect(await caches.delete('a')).toBe(true);
    const again = await caches.open('a');
    expect([(await cache.keys()).length, (await again.keys()).length]).toEqual([1, 0]);
    await cache.put('https://a.example/more', new Response('more'));
    expect(await (await cache.match(url))?.text()).toHaveLength(100_000);
    expect(await caches.match(url)).toBeUndefined();
    expect(await cache.delete(url)).toBe(true);
    expect((await cache.keys()).map((request) => request.url)).toEqual(['https://a.example/more']);
    await host.close();
    expect(responsesIn(root)).toEqual([]);
    await expect(storage.estimate()).rejects.toMatchObject({ name: 'InvalidStateError' });
    expect((await openClient(root).storage.estimate()).usageDetails.caches).toBe(0);
  });

  it('is empty for those who have it elsewhere', async () => {
    const root = newRoot();
    const [here, there] = [openClient(root), openClient(root)];
    const [cache, other] = [await here.caches.open('a'), await there.caches.open('a')];
    await cache.put(url, new Response('old'));
    await there.caches.delete('a');
    expect(await textIn(cache)).toBeUndefined();
    await cache.put(url, new Response('mine'));
    expect([await textIn(cache), await textIn(other)]).toEqual(['mine', 'old']);
    expect(await here.caches.keys()).toEqual([]);
  });

  it('that nobody has gives its space back at once', async () => {
    const root = newRoot();
    const cache = await openClient(root).caches.open('a');
    for (let index = 0; index < 200; index++) await cache.put(`${url}?${index}`, new Response('x'));
    const other = openClient(root);
    await other.caches.delete('a');
    await until(() => responsesIn(root).length === 0);
    await until(async () => (await other.storage.estimate()).usageDetails.caches === 0);
  });
});

describe('a full quota', () => {
  it('is a QuotaExceededError that leaves the old response', async () => {
    const root = newRoot();
    const { caches, storage } = openClient(root, { quota: 12 * 2 ** 20 });
    const cache = await caches.open('a');
    await cache.put(url, new Response('old'));
    for (const bytes of [20_000_000, 50_000_000]) {
      const error: unknown = await cache.put(url, new Response(bodyOf(bytes))).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'QuotaExceededError', quota: 12 * 2 ** 20 });
    }
    expect(await textIn(cache)).toBe('old');
    expect(responsesIn(root)).toHaveLength(1);
    const { usage = 0, usageDetails } = await storage.estimate();
    expect(usageDetails.caches).toBe(4096 + fs.statSync(path.join(cachesIn(root), 'responses', responsesIn(root)[0] ?? '')).size);
    expect(usage).toBe(usageDetails.caches + usageDetails.fileSystem + usageDetails.localStorage);
  });
});

describe('what is damaged', () => {
  // Where it is encrypted it is an error: test/encryption/caches.test.ts
  it.skipIf(isEncrypted)('counts as not cached where it is a response, and is replaced', async () => {
    const root = newRoot();
    const client = openClient(root);
    const cache = await client.caches.open('a');
    for (const damage of [(file: string) => fs.truncateSync(file, 5), (file: string) => fs.unlinkSync(file), (file: string) => fs.writeFileSync(file, 'x'.repeat(fs.statSync(file).size))]) {
      await cache.put(url, new Response('x'));
      damage(path.join(cachesIn(root), 'responses', responsesIn(root)[0] ?? ''));
      expect([await cache.match(url), await cache.matchAll(), await client.caches.match(url)]).toEqual([undefined, [], undefined]);
    }
    await cache.put(url, new Response('new'));
    expect(await textIn(cache)).toBe('new');
  });

  it('is an error where it is a link in the place of a directory of ours', async () => {
    for (const name of ['', 'responses', 'index']) {
      const root = newRoot();
      const host = openHost(root);
      await (await host.origin(origin).caches.open('a')).put(url, new Response('x'));
      await host.close();
      const place = path.join(cachesIn(root), name);
      const outside = `${root}-outside`;
      fs.renameSync(place, outside);
      fs.symlinkSync(outside, place);
      await expect(openClient(root).caches.open('a')).rejects.toMatchObject({ name: 'UnknownError' });
    }
  });
});

describe('what a killed process leaves', () => {
  it('goes with the next who uses the caches; what a live one is storing stays', async () => {
    const root = newRoot();
    const fixture = await bundleFixture(new URL('./storing-fixture.ts', import.meta.url));
    const [killed, live] = [fork(fixture, [root]), fork(fixture, [root])];
    try {
      await Promise.all([once(killed, 'message'), once(live, 'message')]);
      expect(responsesIn(root)).toHaveLength(2);
      const exit = once(killed, 'exit');
      killed.kill('SIGKILL');
      await exit;
      expect(verify(root).findings.every(isHarmless)).toBe(true);
      const { caches } = openClient(root);
      await caches.keys();
      await until(() => responsesIn(root).length === 1);
      const ended = once(live, 'message');
      live.send('end');
      await ended;
      expect(await (await (await caches.open('a')).match(url))?.text()).toHaveLength(300_003);
    } finally {
      for (const child of [killed, live]) child.kill('SIGKILL');
    }
  });

  it('is deleted by the one who made it, where the one who replaced it was killed first', async () => {
    const root = newRoot();
    const [here, there] = [await openClient(root).caches.open('a'), await openClient(root).caches.open('a')];
    await here.put(url, new Response('old'));
    vi.spyOn(fs, 'unlinkSync').mockImplementation(() => {
      throw Object.assign(new Error('killed'), { code: 'EIO' });
    });
    await there.put(url, new Response('new'));
    vi.restoreAllMocks();
    expect(responsesIn(root)).toHaveLength(2);
    expect(await textIn(here)).toBe('new');
    await until(() => responsesIn(root).length === 1);
  });
});
