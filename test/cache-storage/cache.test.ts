import { afterEach, describe, expect, it, vi } from 'vitest';
import { openClient, openHost, newRoot, origin, responsesIn } from './support.ts';

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

describe('put', () => {
  const used = async (): Promise<Response> => {
    const response = new Response('x');
    await response.text();
    return response;
  };
  const locked = (): Response => {
    const response = new Response('x');
    response.body?.getReader();
    return response;
  };
  const varying = (vary: string): Response => new Response('x', { headers: { vary } });
  const plain = (): Response => new Response('x');
  const refused: readonly (readonly [what: string, request: unknown, response: () => unknown])[] = [
    ['another method than GET', new Request(url, { method: 'POST', body: 'x' }), plain],
    ['HEAD', new Request(url, { method: 'HEAD' }), plain],
    ...['data:text/plain,x', 'file:///etc/hosts', 'ftp://a.example/', 'blob:https://a.example/1', 'about:blank'].map((other) => [`the scheme of ${other}`, other, plain] as const),
    ['a URL with credentials', 'https://user:word@a.example/', plain],
    ['what is no URL', 'https://:bad', plain],
    ['a partial response', url, () => new Response('x', { status: 206 })],
    ['Vary: *', url, () => varying('*')],
    ['a Vary with * among others', url, () => varying('accept , *')],
    ['a body that was used', url, used],
    ['a body that is locked', url, locked],
    ['what is no response', url, () => 'text'],
    ['nothing', url, () => undefined],
  ];

  it.each(refused)('refuses %s, and leaves what was there', async (_, request, response) => {
    const root = newRoot();
    const cache = await openClient(root).caches.open('a');
    await cache.put(url, new Response('old'));
    await expect(cache.put(request as Request, (await response()) as Response)).rejects.toThrow(TypeError);
    expect(await (await cache.match(url))?.text()).toBe('old');
    expect(responsesIn(root)).toHaveLength(1);
  });

  it('takes nothing of the body of what it refuses', async () => {
    const cache = await openClient().caches.open('a');
    const response = new Response('mine');
    await expect(cache.put('ftp://a.example/', response)).rejects.toThrow(TypeError);
    expect([response.bodyUsed, await response.text()]).toEqual([false, 'mine']);
    await cache.put(url, new Response('x', { headers: { vary: 'accept, *x' } }));
  });

  it('finds nothing for another method than GET, unless that is ignored', async () => {
    const cache = await openClient().caches.open('a');
    await cache.put(url, new Response('x'));
    const post = new Request(url, { method: 'POST', body: 'x' });
    expect([await cache.match(post), await cache.matchAll(post), await cache.keys(post), await cache.delete(post)]).toEqual([undefined, [], [], false]);
    expect(await (await cache.match(post, { ignoreMethod: true }))?.text()).toBe('x');
    expect(await cache.delete(post, { ignoreMethod: true })).toBe(true);
  });
});

describe('names of caches', () => {
  it('are strings of any kind, and nothing else', async () => {
    const { caches } = openClient();
    for (const operation of ['open', 'has', 'delete'] as const) {
      const call = caches[operation] as (...args: unknown[]) => Promise<unknown>;
      await expect(call.call(caches)).rejects.toThrow(TypeError);
      await expect(call.call(caches, Symbol('a'))).rejects.toThrow(TypeError);
    }
    await expect(caches.match(url, { cacheName: Symbol('a') as never })).rejects.toThrow(TypeError);
    for (const name of ['', '../a', '__proto__', 'a\0b', '\ud800', 'x'.repeat(10_000), null, 7]) await caches.open(name as string);
    expect(await caches.keys()).toEqual(['', '../a', '__proto__', 'a\0b', '\ud800', 'x'.repeat(10_000), 'null', '7']);
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
