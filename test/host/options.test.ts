import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { StorageHost } from '../../src/host/storage-host.ts';
import { listing, openHost, temporaryDirectory, thrownBy } from './support.ts';

describe('options of a host', () => {
  test.each([
    undefined,
    null,
    'root',
    {},
    { root: '' },
    { root: 7 },
    { root: 'a\0b' },
    { root: new URL('https://a.example') },
    { root: 'x', quota: -1 },
    { root: 'x', quota: Number.NaN },
    { root: 'x', quota: '5' },
    { root: 'x', durability: 'very' },
    { root: 'x', durabilty: 'strict' },
  ])('refuses %j', (options) => {
    expect(thrownBy(() => new StorageHost(options as never))).toMatchObject({ name: 'HoldfastError', code: 'bad-option' });
  });

  test('names the option that it does not know, and those that it does', () => {
    const { message } = thrownBy(() => new StorageHost({ root: 'x', durabilty: 'strict' } as never));
    expect(message).toContain("'durabilty'");
    expect(message).toContain('durability');
  });

  test('takes a path or a file: URL, and says the absolute path', () => {
    const directory = temporaryDirectory();
    expect(new StorageHost({ root: pathToFileURL(directory) }).root).toBe(directory);
    expect(new StorageHost({ root: './data' }).root).toBe(path.resolve('data'));
  });

  test('does no I/O for the host, its clients and what reads', async () => {
    const directory = temporaryDirectory();
    const host = openHost({ root: path.join(directory, 'root') });
    const client = host.origin('https://app.example');
    expect(client.localStorage.length).toBe(0);
    expect(client.localStorage.getItem('k')).toBeNull();
    client.localStorage.removeItem('k');
    client.localStorage.clear();
    client.sessionStorage.setItem('k', 'v');
    const root = await client.storage.getDirectory();
    await expect(root.getFileHandle('absent')).rejects.toMatchObject({ name: 'NotFoundError' });
    for await (const name of root.keys()) expect.fail(`there is ${name}`);
    expect(await client.storage.persisted()).toBe(false);
    expect((await client.storage.estimate()).usage).toBe(0);
    await client.locks.query();
    expect(listing(directory)).toEqual([]);
  });
});

describe('origins', () => {
  const host = new StorageHost({ root: './never-made' });

  test.each([
    ['https://app.example', 'https://app.example'],
    ['HTTPS://App.Example:443/path?query#hash', 'https://app.example'],
    ['http://localhost:8080/', 'http://localhost:8080'],
    ['https://user:secret@app.example', 'https://app.example'],
    ['http://[::1]:3000', 'http://[::1]:3000'],
    ['https://bücher.example', 'https://xn--bcher-kva.example'],
  ])('%s is %s', (given, serialized) => {
    expect(host.origin(given).origin).toBe(serialized);
    expect(host.origin(new URL(given)).origin).toBe(serialized);
    expect(host.origin(given)).toBe(host.origin(serialized));
  });

  test.each(['null', 'file:///etc/passwd', 'data:text/plain,x', 'about:blank', 'blob:https://app.example/1', 'ws://app.example'])(
    'refuses %s with a SecurityError',
    (given) => {
      const error = thrownBy(() => host.origin(given));
      expect(error).toBeInstanceOf(DOMException);
      expect(error.name).toBe('SecurityError');
      expect(error.message).toContain(given);
    },
  );

  test.each(['', 'app.example', '//app.example', 'https://', 'https://a b', 5, null, undefined, {}])('refuses %j as no origin', (given) => {
    expect(thrownBy(() => host.origin(given as never))).toMatchObject({ code: 'bad-option' });
  });
});

describe('the quota', () => {
  test('holds for each origin on its own', () => {
    const host = openHost({ quota: { localStorage: 20 } });
    const [a, b] = [host.origin('https://a.example'), host.origin('https://b.example')];
    a.localStorage.setItem('k', '123456789');
    b.localStorage.setItem('k', '123456789');
    expect(thrownBy(() => a.localStorage.setItem('l', ''))).toMatchObject({ name: 'QuotaExceededError', quota: 20, requested: 22 });
    expect(thrownBy(() => a.sessionStorage.setItem('long key', 'value'))).toMatchObject({ name: 'QuotaExceededError', quota: 20 });
  });

  test('may depend on the origin', () => {
    const host = openHost({ quota: (origin) => (origin.includes('small') ? 2 : 2000) });
    expect(thrownBy(() => host.origin('https://small.example').localStorage.setItem('k', 'v')).name).toBe('QuotaExceededError');
    host.origin('https://large.example').localStorage.setItem('k', 'v');
  });

  test('of a function is checked when its origin is first asked for', () => {
    const host = openHost({ quota: () => -5 });
    expect(thrownBy(() => host.origin('https://a.example'))).toMatchObject({ code: 'bad-option' });
  });
});
