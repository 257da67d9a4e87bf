import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test, vi } from 'vitest';
import type { StorageClient, StorageHost } from '../../src/index.ts';
import { install } from '../../src/index.ts';
import { atEnd, openHost, thrownBy } from './support.ts';

const ORIGIN = 'https://app.example';

/** Handles one request and gives its client. */
async function clientOf(host: StorageHost, request: { url?: string }): Promise<StorageClient> {
  return host.handle(ORIGIN, request, (_request, client) => client);
}

/** The globals of a host, on an object of their own. */
function globalsOf(host: StorageHost): Record<'localStorage' | 'sessionStorage', Storage> {
  const target = {};
  atEnd(install({ host, target }));
  return target as Record<'localStorage' | 'sessionStorage', Storage>;
}

type Source = NonNullable<ConstructorParameters<typeof ReadableStream<Uint8Array>>[0]> & { type?: undefined };

interface Storage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
}

describe('the url of a request’s client', () => {
  test.each([
    ['https://app.example/a?b=c#d', 'https://app.example/a?b=c'],
    // What stands behind a proxy that speaks TLS sees another scheme and host.
    ['http://10.0.0.7:3000/a?b=c', 'https://app.example/a?b=c'],
    ['/a?b=c', 'https://app.example/a?b=c'],
    ['/a?b=//c', 'https://app.example/a?b=//c'],
    ['//evil.example/a', 'https://app.example//evil.example/a'],
    ['http://evil.example', 'https://app.example/'],
    ['\\\\evil.example', 'https://app.example//evil.example'],
    ['*', 'https://app.example/*'],
    ['/%', 'https://app.example/%'],
    ['http://[', 'https://app.example/'],
    ['', 'https://app.example/'],
    [undefined, 'https://app.example/'],
  ])('%j is %j', async (url, expected) => {
    expect((await clientOf(openHost(), url === undefined ? {} : { url })).url).toBe(expected);
  });

  test('is what Express was asked for, not what its routers made of it', async () => {
    const request = { url: '/inner', originalUrl: '/outer/inner?x' };
    expect((await clientOf(openHost(), request)).url).toBe('https://app.example/outer/inner?x');
  });
});

describe('a handler of fetch', () => {
  test('runs as a client of its own, which is closed when it gives something else than a response', async () => {
    const host = openHost();
    const storage = globalsOf(host);
    const visit = async (): Promise<[string | null, StorageClient]> =>
      host.handle(ORIGIN, new Request('http://localhost/'), async (_request, client) => {
        const before = storage.sessionStorage.getItem('visitor');
        storage.sessionStorage.setItem('visitor', 'here');
        await Promise.resolve();
        expect(storage.sessionStorage.getItem('visitor')).toBe('here');
        expect(client.closed).toBe(false);
        return [before, client];
      });
    const visits = await Promise.all([visit(), visit()]);
    expect(visits.map(([before]) => before)).toEqual([null, null]);
    expect(visits.map(([, client]) => client.closed)).toEqual([true, true]);
  });

  test.each([
    ['throws', () => { throw new Error('no'); }],
    ['rejects', () => Promise.reject(new Error('no'))],
  ])('that %s leaves no client behind', async (_how, fail) => {
    const host = openHost();
    let client: StorageClient | undefined;
    const answer = host.handle(ORIGIN, new Request('http://localhost/'), (_request, own) => {
      client = own;
      return fail();
    });
    await expect(answer).rejects.toThrow('no');
    expect(client?.closed).toBe(true);
  });

  test('keeps status and headers; the client ends with the body', async () => {
    const host = openHost();
    let client: StorageClient | undefined;
    const response = await host.handle(ORIGIN, new Request('http://localhost/'), (_request, own) => {
      client = own;
      const headers = new Headers([['set-cookie', 'a=1'], ['set-cookie', 'b=2'], ['content-type', 'text/x']]);
      return new Response('hello', { status: 201, statusText: 'Made', headers });
    });
    expect({ status: response.status, text: response.statusText }).toEqual({ status: 201, text: 'Made' });
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2']);
    expect(response.headers.get('content-type')).toBe('text/x');
    expect(client?.closed).toBe(false);
    expect(await response.text()).toBe('hello');
    expect(client?.closed).toBe(true);
  });

  test('streams as its client, also long after it has returned', async () => {
    const host = openHost();
    const storage = globalsOf(host);
    const response = await host.handle(ORIGIN, new Request('http://localhost/'), () => {
      storage.sessionStorage.setItem('part', '0');
      return new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setImmediate(resolve));
            const part = Number(storage.sessionStorage.getItem('part'));
            storage.sessionStorage.setItem('part', String(part + 1));
            if (part === 3) controller.close();
            else controller.enqueue(new TextEncoder().encode(String(part)));
          },
        }),
      );
    });
    expect(await response.text()).toBe('012');
  });

  test('whose body is given up, or fails, ends its client', async () => {
    const host = openHost();
    const clients: StorageClient[] = [];
    const reasons: unknown[] = [];
    const answer = (source: Source): Promise<Response> =>
      host.handle(ORIGIN, new Request('http://localhost/'), (_request, client) => {
        clients.push(client);
        return new Response(new ReadableStream(source));
      });
    await (await answer({ cancel: (reason) => void reasons.push(reason) })).body?.cancel('enough');
    expect(reasons).toEqual(['enough']);
    await expect((await answer({ pull: (controller) => controller.error(new Error('torn')) })).text()).rejects.toThrow();
    expect(clients.map(({ closed }) => closed)).toEqual([true, true]);
  });

  test.each([
    ['no body', 'GET', () => new Response(null, { status: 204 })],
    ['HEAD', 'HEAD', () => new Response('never read')],
  ])('with %s ends its client at once, and its response is as it was', async (_name, method, make) => {
    const host = openHost();
    let client: StorageClient | undefined;
    let own: Response | undefined;
    const response = await host.handle(ORIGIN, new Request('http://localhost/', { method }), (_request, given) => {
      client = given;
      return (own = make());
    });
    expect(response).toBe(own);
    expect(client?.closed).toBe(true);
  });
});

describe('a handler of node:http', () => {
  async function served(listener: http.RequestListener): Promise<string> {
    const server = http.createServer(listener).listen(0, '127.0.0.1');
    atEnd(() => new Promise((resolve) => server.close(resolve).closeAllConnections()));
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  test('runs as a client that ends with its response', async () => {
    const host = openHost();
    const storage = globalsOf(host);
    const clients: StorageClient[] = [];
    const url = await served((request, response) => {
      void host.handle(ORIGIN, request, response, async (_request, _response, client) => {
        clients.push(client);
        storage.sessionStorage.setItem('k', 'v');
        await new Promise((resolve) => setImmediate(resolve));
        response.write(storage.sessionStorage.getItem('k'));
        setImmediate(() => response.end(` ${client.url} ${client.closed}`));
      });
    });
    expect(await (await fetch(`${url}/path?query`)).text()).toBe('v https://app.example/path?query false');
    await vi.waitFor(() => expect(clients[0]?.closed).toBe(true), 30_000);
  });

  test('ends its client when the connection breaks', async () => {
    const host = openHost();
    const clients: StorageClient[] = [];
    const url = await served((request, response) =>
      host.handle(ORIGIN, request, response, (_request, _response, client) => {
        clients.push(client);
        response.write('the beginning');
      }),
    );
    const controller = new AbortController();
    await fetch(url, { signal: controller.signal });
    controller.abort();
    await vi.waitFor(() => expect(clients[0]?.closed).toBe(true), 30_000);
  });

  test('that fails ends its client, and its caller hears of it', async () => {
    const host = openHost();
    const response = new http.ServerResponse(new http.IncomingMessage(null as never));
    const clients: StorageClient[] = [];
    const fail = (): never => {
      throw new Error('no');
    };
    expect(thrownBy(() => host.handle(ORIGIN, { url: '/' }, response, (_a, _b, client) => (clients.push(client), fail()))).message).toBe('no');
    await expect(host.handle(ORIGIN, { url: '/' }, response, async (_a, _b, client) => (clients.push(client), fail()))).rejects.toThrow('no');
    expect(clients.map(({ closed }) => closed)).toEqual([true, true]);
  });

  test('whose response is over already ends its client at once', () => {
    const host = openHost();
    const response = { closed: true, once: () => expect.fail('nothing more will come') };
    expect(host.handle(ORIGIN, { url: '/' }, response, (_request, _response, client) => client).closed).toBe(true);
  });
});

test('refuses what is no handler, and origins that have no storage', async () => {
  const host = openHost();
  expect(thrownBy(() => host.handle(ORIGIN, {}, 'handler' as never)).message).toBe('handle() calls a function, not handler.');
  await expect(host.handle('null', {}, () => undefined)).rejects.toMatchObject({ name: 'SecurityError' });
});
