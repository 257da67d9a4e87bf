import { afterEach, describe, expect, it, vi } from 'vitest';
import { openClient, openHost, newRoot, origin } from './support.ts';

const url = 'https://a.example/page';

afterEach(() => vi.unstubAllGlobals());

/** A response as a fetch gives one, which no constructor does. */
function fetched(body: string | null, told: Partial<Response>, init?: ResponseInit): Response {
  const response = new Response(body, init);
  for (const [name, value] of Object.entries(told)) Object.defineProperty(response, name, { value });
  return response;
}

describe('what comes back', () => {
  it('is what was put, with what no constructor takes, and so are its clones', async () => {
    const cache = await openClient().caches.open('a');
    await cache.put(`${url}#there`, fetched('hello', { type: 'cors', url: 'https://b.example/moved', redirected: true }, { status: 201, statusText: 'Made', headers: [['X-B', '2'], ['x-a', '1'], ['x-b', '3']] }));
    const found = await cache.match(url);
    for (const response of [found?.clone(), found?.clone().clone(), found]) {
      expect([response?.status, response?.statusText, response?.ok, response?.type, response?.url, response?.redirected]).toEqual([201, 'Made', true, 'cors', 'https://b.example/moved', true]);
      expect([...(response?.headers ?? [])]).toEqual([['content-type', 'text/plain;charset=UTF-8'], ['x-a', '1'], ['x-b', '2, 3']]);
      expect(await response?.text()).toBe('hello');
    }
    const [request] = await cache.keys();
    expect([request?.url, request?.method]).toEqual([`${url}#there`, 'GET']);
  });

  it('has no cookies', async () => {
    const cache = await openClient().caches.open('a');
    await cache.put(url, new Response('x', { headers: [['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['x', 'y']] }));
    expect([...((await cache.match(url))?.headers.keys() ?? [])]).toEqual(['content-type', 'x']);
  });

  it('is opaque where it was', async () => {
    const cache = await openClient().caches.open('a');
    await cache.put(url, fetched(null, { type: 'opaque', status: 0, ok: false }));
    const found = await cache.match(url);
    expect([found?.type, found?.status, found?.ok, found?.body]).toEqual(['opaque', 0, false, null]);
  });

  it('is in frozen arrays', async () => {
    const cache = await openClient().caches.open('a');
    expect([Object.isFrozen(await cache.keys()), Object.isFrozen(await cache.matchAll())]).toEqual([true, true]);
  });
});

describe('addAll', () => {
  const serve = (answers: Record<string, () => Response | Promise<Response>>): void => {
    vi.stubGlobal('fetch', async (input: Request | string) => {
      const { pathname } = new URL(typeof input === 'string' ? input : input.url);
      return (answers[pathname] ?? (() => new Response(null, { status: 404 })))();
    });
  };

  it('puts all with one record, or nothing, and ends the other fetches', async () => {
    const signals: (AbortSignal | null | undefined)[] = [];
    vi.stubGlobal('fetch', (input: string, init?: RequestInit) => {
      signals.push(init?.signal);
      if (input.endsWith('/bad')) return Promise.reject(new TypeError('down'));
      return new Promise<Response>((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason)));
    });
    const cache = await openClient().caches.open('a');
    await expect(cache.addAll([`${url}/slow`, `${url}/bad`])).rejects.toThrow('down');
    expect(signals.map((signal) => signal?.aborted)).toEqual([true, true]);
    expect(await cache.keys()).toEqual([]);
  });

  it('refuses what the standard refuses', async () => {
    serve({ '/page': () => new Response('x'), '/all': () => new Response('x', { headers: { vary: '*' } }), '/part': () => new Response('x', { status: 206 }) });
    const cache = await openClient().caches.open('a');
    for (const path of ['/missing', '/all', '/part']) await expect(cache.add(`https://a.example${path}`)).rejects.toThrow(TypeError);
    await expect(cache.add(new Request(url, { method: 'HEAD' }))).rejects.toThrow(TypeError);
    await expect(cache.add('ftp://a.example/')).rejects.toThrow(TypeError);
    await expect(cache.add('https://user:word@a.example/')).rejects.toThrow(TypeError);
    await expect(cache.addAll('text' as never)).rejects.toThrow(TypeError);
    await expect(cache.addAll([url, url])).rejects.toMatchObject({ name: 'InvalidStateError' });
    expect(await cache.keys()).toEqual([]);
    await cache.addAll(new Set([url]));
    expect(await cache.keys()).toHaveLength(1);
  });
});

describe('requests', () => {
  it('may be of another library, and relative ones are below the client', async () => {
    const host = openHost();
    const { caches } = host.client(origin, { url: `${origin}/shop/page` });
    const cache = await caches.open('a');
    await cache.put('item?1', new Response('one'));
    const foreign = { url: `${origin}/shop/item?1`, method: 'GET', headers: new Map([['Accept', 'x']]) };
    expect(await (await cache.match(foreign as never))?.text()).toBe('one');
    expect(await (await caches.match(new URL(`${origin}/shop/item?2`), { ignoreSearch: true }))?.text()).toBe('one');
    await expect(cache.match('https://:bad')).rejects.toThrow(TypeError);
  });
});

describe('the interfaces', () => {
  it('have the shape that Web IDL asks for', async () => {
    const { caches } = openClient();
    const cache = await caches.open('a');
    const shape = (object: object): unknown[] => [Object.prototype.toString.call(object), Object.keys(Object.getPrototypeOf(object) as object)];
    expect(shape(caches)).toEqual(['[object CacheStorage]', ['match', 'has', 'open', 'delete', 'keys']]);
    expect(shape(cache)).toEqual(['[object Cache]', ['match', 'matchAll', 'add', 'addAll', 'put', 'delete', 'keys']]);
    expect(() => new (cache.constructor as new () => unknown)()).toThrow(new TypeError('Illegal constructor'));
    await expect((cache.match as unknown as () => Promise<unknown>)()).rejects.toThrow("Failed to execute 'match' on 'Cache': 1 argument required, but only 0 present.");
    await expect(Reflect.apply(cache.keys, {}, [])).rejects.toThrow(TypeError);
  });

  it('reject once the client is closed', async () => {
    const root = newRoot();
    const client = openClient(root);
    const { caches } = client;
    const cache = await caches.open('a');
    client.close();
    for (const call of [() => caches.keys(), () => caches.open('a'), () => cache.keys(), () => cache.put(url, new Response('x'))]) {
      await expect(call()).rejects.toMatchObject({ name: 'InvalidStateError' });
    }
    expect(() => client.caches).toThrow(expect.objectContaining({ code: 'closed' }));
  });
});
