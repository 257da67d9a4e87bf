import { fork } from 'node:child_process';
import { once } from 'node:events';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Cache } from '../../src/cache-storage/cache.ts';
import type { CacheStorage } from '../../src/cache-storage/cache-storage.ts';
import { isHarmless } from '../../src/disk/verify/finding.ts';
import { bundleFixture } from '../support/bundle.ts';
import { verify } from '../verify/sample.ts';
import { newRoot, openClient, responsesIn, until } from './support.ts';

interface Entry {
  readonly url: string;
  readonly accept: string | null;
  readonly vary: boolean;
  readonly body: string;
}

/** What the standard says, without a disk. */
class ModelCaches {
  readonly caches = new Map<string, Entry[]>();

  put(name: string, entry: Entry): void {
    const list = this.caches.get(name);
    if (list === undefined) return;
    this.caches.set(name, [...list.filter((each) => !matches(each, entry.url, entry.accept, false)), entry]);
  }

  remove(name: string, url: string, accept: string | null, ignoreSearch: boolean): boolean {
    const list = this.caches.get(name) ?? [];
    const rest = list.filter((each) => !matches(each, url, accept, ignoreSearch));
    if (this.caches.has(name)) this.caches.set(name, rest);
    return rest.length < list.length;
  }

  find(name: string, url: string, accept: string | null, ignoreSearch: boolean): string[] {
    return (this.caches.get(name) ?? []).filter((each) => matches(each, url, accept, ignoreSearch)).map(({ body }) => body);
  }
}

function matches(entry: Entry, url: string, accept: string | null, ignoreSearch: boolean): boolean {
  const bare = (text: string): string => (ignoreSearch ? (text.split('?')[0] ?? '') : text);
  return bare(entry.url) === bare(url) && (!entry.vary || entry.accept === accept);
}

const name = fc.constantFrom('a', 'b');
const url = fc.constantFrom('https://x.example/1', 'https://x.example/1?q', 'https://x.example/1?r', 'https://x.example/2');
const accept = fc.constantFrom(null, 'text', 'image');
const side = fc.constantFrom(0, 1);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ does: fc.constant('put' as const), side, name, url, accept, vary: fc.boolean(), large: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('remove' as const), side, name, url, accept, ignoreSearch: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('find' as const), side, name, url, accept, ignoreSearch: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('open' as const), side, name }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('delete' as const), side, name }) },
);

const requestOf = (href: string, value: string | null): Request => new Request(href, value === null ? {} : { headers: { accept: value } });
const textOf = (responses: readonly Response[]): Promise<string[]> => Promise.all(responses.map((response) => response.text()));

it('two hosts on one root do what the standard says, as one would', { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
      const root = newRoot();
      const sides = [openClient(root).caches, openClient(root).caches];
      const model = new ModelCaches();
      let number = 0;
      for (const each of steps) {
        const caches = sides[each.side] as CacheStorage;
        if (each.does === 'open') {
          await caches.open(each.name);
          if (!model.caches.has(each.name)) model.caches.set(each.name, []);
        } else if (each.does === 'delete') {
          expect(await caches.delete(each.name)).toBe(model.caches.delete(each.name));
        } else if (await caches.has(each.name)) {
          const cache: Cache = await caches.open(each.name);
          const request = requestOf(each.url, each.accept);
          if (each.does === 'put') {
            const body = `${(number += 1)}${'x'.repeat(each.large ? 100_000 : 0)}`;
            await cache.put(request, new Response(body, { headers: each.vary ? { vary: 'Accept' } : {} }));
            model.put(each.name, { url: each.url, accept: each.accept, vary: each.vary, body });
          } else if (each.does === 'remove') {
            expect(await cache.delete(request, { ignoreSearch: each.ignoreSearch })).toBe(model.remove(each.name, each.url, each.accept, each.ignoreSearch));
          } else {
            expect(await textOf(await cache.matchAll(request, { ignoreSearch: each.ignoreSearch }))).toEqual(model.find(each.name, each.url, each.accept, each.ignoreSearch));
          }
        } else expect(model.caches.has(each.name)).toBe(false);
      }
      for (const caches of [...sides, openClient(root).caches]) {
        expect(await caches.keys()).toEqual([...model.caches.keys()]);
        for (const [cacheName, entries] of model.caches) {
          const cache = await caches.open(cacheName);
          expect((await cache.keys()).map((request) => request.url)).toEqual(entries.map((entry) => entry.url));
          expect(await textOf(await cache.matchAll())).toEqual(entries.map(({ body }) => body));
        }
      }
    }),
    { numRuns: 25 },
  );
});

it('processes that put and delete the same requests at once leave whole responses, and nothing else', { timeout: 240_000 }, async () => {
  const root = newRoot();
  const fixture = await bundleFixture(new URL('./rival-fixture.ts', import.meta.url));
  const rivals = Array.from({ length: 3 }, (_, index) => fork(fixture, [root, String(index)]));
  const client = openClient(root);
  const cache = await client.caches.open('shared');
  let running = rivals.length;
  const ends = rivals.map(async (rival) => {
    const [code] = (await once(rival, 'exit')) as [number];
    running -= 1;
    return code;
  });
  let seen = 0;
  while (running > 0) {
    for (const response of await cache.matchAll()) {
      const text = await response.text();
      // A response says in its headers what its body is to be.
      expect(text).toBe(`${response.headers.get('x-tag')};`.repeat(Number(response.headers.get('x-times'))));
      seen += 1;
    }
  }
  expect(await Promise.all(ends)).toEqual(rivals.map(() => 0));
  expect(seen).toBeGreaterThan(0);
  await until(async () => responsesIn(root).length === (await cache.keys()).length);
  expect(verify(root).findings.every(isHarmless)).toBe(true);
});
