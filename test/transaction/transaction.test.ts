import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { StorageEvent } from '../../src/web-storage/storage-event.ts';
import { atEnd, nextEvent, openHost, temporaryDirectory, thrownBy } from '../host/support.ts';
import { bundleFixture } from '../support/bundle.ts';

const origin = 'https://app.example';

describe('client.transaction()', () => {
  test('returns what its body returns, which sees its own writes, and stores them as one record', () => {
    const host = openHost();
    const { localStorage } = host.client(origin);
    const client = host.origin(origin);
    client.localStorage.setItem('a', '1');
    const size = (): number => fs.statSync(path.join(host.root, 'origins/https_app.example/default/local-storage/0')).size;
    const records = (): number => client.transaction((storage) => storage.length);
    const before = size();
    const result = client.transaction((storage) => {
      expect(storage).toBe(client.localStorage);
      storage.setItem('b', '2');
      storage['c'] = '3';
      delete storage['a'];
      expect([storage.getItem('a'), storage.getItem('b'), storage.length, storage.key(0), Object.keys(storage)]).toEqual([null, '2', 2, 'b', ['b', 'c']]);
      expect([localStorage.getItem('a'), localStorage.length, size()]).toEqual(['1', 1, before]);
      return 'result';
    });
    expect([result, records(), Object.entries(localStorage)]).toEqual(['result', 2, [['b', '2'], ['c', '3']]]);
  });

  test('stores nothing when its body throws, or is asynchronous', async () => {
    const client = openHost().origin(origin);
    client.localStorage.setItem('a', '1');
    const failing = (): void => client.transaction((storage) => {
      storage.clear();
      throw new RangeError('mine');
    });
    expect(failing).toThrow(new RangeError('mine'));
    const late = () => client.transaction(async (storage) => {
      storage.setItem('a', '2');
      await null;
      throw new Error('nobody hears of this');
    });
    expect(late).toThrow(TypeError);
    expect(late).toThrow(/awaits nothing/);
    await new Promise((resolve) => setImmediate(resolve));
    expect(() => client.transaction('text' as never)).toThrow(TypeError);
    expect(Object.entries(client.localStorage)).toEqual([['a', '1']]);
  });

  test('within another is a part of it that can fail alone', () => {
    const client = openHost().origin(origin);
    client.transaction((storage) => {
      storage.setItem('a', '1');
      const failing = (): void => client.transaction(() => {
        storage.setItem('a', '2');
        storage.setItem('b', '2');
        storage.removeItem('a');
        throw new Error('mine');
      });
      expect(failing).toThrow('mine');
      expect([storage.getItem('a'), storage.length]).toEqual(['1', 1]);
      client.transaction(() => storage.setItem('c', '3'));
    });
    expect(Object.entries(client.localStorage)).toEqual([['a', '1'], ['c', '3']]);
    const all = (): void => client.transaction((storage) => {
      client.transaction(() => storage.setItem('d', '4'));
      throw new Error('mine');
    });
    expect(all).toThrow('mine');
    expect(client.localStorage.length).toBe(2);
  });

  test('is refused by the quota at the write that does not fit, which leaves the rest to the body', () => {
    const client = openHost({ quota: { localStorage: 100 } }).origin(origin);
    const error = thrownBy(() => client.transaction((storage) => {
      storage.setItem('a', 'x'.repeat(29));
      storage.setItem('b', 'x'.repeat(29));
    }));
    expect(error).toMatchObject({ name: 'QuotaExceededError', quota: 100, requested: 120 });
    expect(client.localStorage.length).toBe(0);
    client.transaction((storage) => {
      storage.setItem('a', 'x'.repeat(40));
      storage.removeItem('a');
      storage.setItem('b', 'x'.repeat(40));
    });
    expect(Object.keys(client.localStorage)).toEqual(['b']);
  });

  test('others hear of after it, with what was there before and after', async () => {
    const host = openHost();
    const [client, other] = [host.origin(origin), host.client(origin)];
    client.localStorage.setItem('a', '1');
    const heard: unknown[] = [];
    other.addEventListener('storage', ({ key, oldValue, newValue }) => heard.push([key, oldValue, newValue, other.localStorage.getItem('end')]));
    client.addEventListener('storage', () => heard.push('itself'));
    const last = nextEvent<StorageEvent>(other, 'storage');
    client.transaction((storage) => {
      storage.setItem('a', '2');
      storage.setItem('end', 'there');
    });
    await last;
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual([['a', '1', '2', 'there'], ['end', null, 'there', 'there']]);
  });

  test('creates nothing where it changes nothing', () => {
    const host = openHost();
    expect(host.origin(origin).transaction((storage) => {
      storage.removeItem('a');
      storage.clear();
      return storage.length;
    })).toBe(0);
    expect(fs.existsSync(host.root)).toBe(false);
  });

  test('stores nothing of a client that its body has closed, and nothing of a closed one', () => {
    const host = openHost();
    const client = host.client(origin);
    expect(thrownBy(() => client.transaction((storage) => {
      storage.setItem('a', '1');
      client.close();
    }))).toMatchObject({ name: 'HoldfastError', code: 'closed' });
    expect(thrownBy(() => client.transaction(() => undefined))).toMatchObject({ code: 'closed' });
    expect(host.origin(origin).localStorage.length).toBe(0);
  });

  test('gives up where its own body makes it obsolete each time', () => {
    const host = openHost();
    const [client, other] = [host.client(origin), host.client(origin)];
    let runs = 0;
    const error = thrownBy(() => client.transaction((storage) => {
      storage.setItem('n', String(Number(storage.getItem('n')) + 1));
      other.localStorage.setItem('n', String((runs += 1) + 10));
    }));
    expect([error.code, runs, other.localStorage.getItem('n')]).toEqual(['conflict', 1000, '1010']);
  });

  test('is counted as its writes, once it is stored', () => {
    const host = openHost();
    const client = host.origin(origin);
    expect(() => client.transaction((storage) => {
      storage.setItem('a', '1');
      throw new Error('mine');
    })).toThrow('mine');
    expect(host.stats().localStorage.writes).toBe(0);
    client.transaction((storage) => storage.setItem('a', '1'));
    expect(host.stats().localStorage).toMatchObject({ writes: 1, bytesWritten: 4 });
  });
});

test('several processes that count in transactions lose no count, and nobody sees half of one', { timeout: 120_000 }, async () => {
  const root = path.join(temporaryDirectory(), 'root');
  const fixture = await bundleFixture(new URL('./counter-fixture.ts', import.meta.url));
  const times = 1500;
  const host = openHost({ root });
  const client = host.origin(origin);
  let torn = 0;
  const look = setInterval(() => {
    const [count, twin] = client.transaction((storage) => [storage.getItem('count'), storage.getItem('twin')]);
    if (count !== twin) torn += 1;
  }, 1);
  atEnd(() => clearInterval(look));
  await Promise.all([1, 2, 3].map(() => promisify(execFile)(process.execPath, [fixture, root, String(times)])));
  expect([torn, client.localStorage.getItem('count'), client.localStorage.getItem('twin')]).toEqual([0, String(3 * times), String(3 * times)]);
});
