import { describe, expect, it } from 'vitest';
import { openClient } from './support.ts';

describe('a cache', () => {
  it('gives back what was put', async () => {
    const { caches } = openClient();
    const cache = await caches.open('pages');
    await cache.put('/a?b=c#d', new Response('hello', { status: 201, statusText: 'Made', headers: [['X-B', '2'], ['x-a', '1'], ['x-b', '3']] }));
    const response = await cache.match('/a?b=c');
    expect(await response?.text()).toBe('hello');
    expect([response?.status, response?.statusText, response?.type, response?.url, response?.redirected]).toEqual([201, 'Made', 'default', '', false]);
    expect([...(response?.headers ?? [])]).toEqual([['content-type', 'text/plain;charset=UTF-8'], ['x-a', '1'], ['x-b', '2, 3']]);
    const [request] = await cache.keys();
    expect([request?.url, request?.method]).toEqual(['https://app.example/a?b=c#d', 'GET']);
    expect(await caches.match('https://app.example/a?b=c')).toBeDefined();
    expect(await cache.delete('/a', { ignoreSearch: true })).toBe(true);
    expect(await cache.match('/a?b=c')).toBeUndefined();
  });
});
