import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import type { SetOutcome } from '../../src/disk/map/map-area.ts';
import { MapJournal } from '../../src/disk/map/map-journal.ts';
import { DEFAULT_QUOTA } from '../../src/disk/map/map-state.ts';
import type { BucketPlace } from '../../src/disk/place.ts';
import { bundleFixture } from '../support/bundle.ts';
import { ClientProcess, endClientProcesses } from './client-process.ts';
import { newPlace, newSession, ownUrl, removePlaces, until } from './temporary-bucket.ts';

afterEach(async () => {
  await endClientProcesses();
  removePlaces();
});

function startClient(place: BucketPlace, url = ownUrl, quota?: number): Promise<ClientProcess> {
  const options = quota === undefined ? { url: ownUrl, compactAt: 100_000 } : { url: ownUrl, compactAt: 100_000, quota };
  return ClientProcess.start({ directory: place.path, session: newSession(), url, options });
}

const clientHere = (place: BucketPlace) => new MapJournal(place, { url: ownUrl }).client(newSession(), ownUrl);

describe('several processes', () => {
  test('together never exceed the quota, and use all of it', async () => {
    const place = newPlace();
    const quota = 200_000;
    const units = 25;
    const fillers = await Promise.all(['a', 'b', 'c'].map(() => startClient(place, ownUrl, quota)));
    const results = await Promise.all(
      fillers.map((filler, index) => filler.ask<{ accepted: number; last: SetOutcome }>({ do: 'fill', prefix: `${index}-`, units })),
    );
    const here = clientHere(place);
    const bytes = here.keys().reduce((sum, key) => sum + 2 * (key.length + (here.get(key)?.length ?? 0)), 0);
    expect(bytes).toBe(quota);
    expect(results.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(quota / (2 * units));
    expect(results.map(({ last }) => last)).toEqual(fillers.map(() => ({ accepted: false, quota, requested: quota + 2 * units })));
  });

  test('see what any of them wrote before', async () => {
    const place = newPlace();
    const here = clientHere(place);
    const [a, b] = await Promise.all([startClient(place), startClient(place)]);
    for (let round = 0; round < 50; round++) {
      await a.ask({ do: 'set', key: 'k', value: `a${round}` });
      expect([here.get('k'), await b.ask({ do: 'get', key: 'k' })]).toEqual([`a${round}`, `a${round}`]);
      here.set('k', `here${round}`);
      expect(await a.ask({ do: 'get', key: 'k' })).toBe(`here${round}`);
      await b.ask({ do: 'remove', key: 'k' });
      expect([here.get('k'), await a.ask({ do: 'get', key: 'k' })]).toEqual([null, null]);
    }
  });

  test('agree on everything after writing at the same time, through compactions', async () => {
    const place = newPlace();
    const clients = await Promise.all([1, 2, 3].map(() => startClient(place)));
    await Promise.all(
      clients.map((client, index) =>
        client.ask({ do: 'setMany', entries: Array.from({ length: 3000 }, (_, n) => [`k${n % 50}`, `${index}:${n}:${'v'.repeat(n % 90)}`]) }),
      ),
    );
    const views = await Promise.all(clients.map((client) => client.ask({ do: 'entries' })));
    const here = clientHere(place);
    expect(here.length).toBe(50);
    for (const view of views) expect(view).toEqual(here.keys().map((key) => [key, here.get(key)]));
  });

  test('hear of all changes by others exactly once, in one order, with the writer\'s url', async () => {
    const place = newPlace();
    const listener = await startClient(place);
    await listener.ask({ do: 'subscribe' });
    const writers = await Promise.all(['x', 'y'].map((page) => startClient(place, `${ownUrl}${page}`)));
    const count = 1500;
    await Promise.all(
      writers.map((writer, index) =>
        writer.ask({ do: 'setMany', entries: Array.from({ length: count }, (_, n) => ['k', `${index}:${n}`]) }),
      ),
    );
    await listener.ask({ do: 'set', key: 'own', value: 'unheard' });
    await writers[0]?.ask({ do: 'set', key: 'end', value: '' });
    await until(() => listener.changes.at(-1)?.key === 'end');
    const changes = listener.changes.slice(0, -1);
    expect(changes).toHaveLength(2 * count);
    // One order, nothing left out and nothing twice: each change begins with what the one before it left.
    expect(changes.map(({ oldValue }) => oldValue)).toEqual([null, ...changes.slice(0, -1).map(({ newValue }) => newValue)]);
    for (const index of [0, 1]) {
      const own = changes.filter(({ newValue }) => newValue?.startsWith(`${index}:`));
      expect(own.map(({ newValue }) => newValue)).toEqual(Array.from({ length: count }, (_, n) => `${index}:${n}`));
      expect(new Set(own.map(({ url }) => url))).toEqual(new Set([`${ownUrl}${index === 0 ? 'x' : 'y'}`]));
    }
  });

  test.each([
    ['the whole quota in one value', 'k', 'v'.repeat(DEFAULT_QUOTA / 2 - 1)],
    ['the whole quota in two-byte units', 'k', '\ud800'.repeat(DEFAULT_QUOTA / 2 - 1)],
    ['a key of 300 characters', 'k'.repeat(300), 'v'],
    ['a key of one million characters', '\u00e9'.repeat(1_000_000), 'v'],
    ['a lone high surrogate', '\ud83d', '\ud83d'],
    ['surrogates in the wrong order', '\ude00\ud83d', 'x\ude00\ud83dy'],
    ['a byte order mark', '\ufeff', '\ufffe\ufeff'],
    ['the empty string', '', ''],
    ['the null character', '\0', '\0\0'],
    ['a name of Object.prototype', '__proto__', 'constructor'],
    ['a dot', '.', '..'],
  ])('pass on %s as it is', async (_, key, value) => {
    const place = newPlace();
    const other = await startClient(place);
    expect(await other.ask({ do: 'set', key, value })).toEqual({ accepted: true });
    const here = clientHere(place);
    expect(here.get(key) === value).toBe(true);
    expect(here.keys()).toEqual([key]);
    here.remove(key);
    expect(await other.ask({ do: 'get', key })).toBe(null);
  });
});

test('a subscriber does not keep its process alive, whether or not it has heard of anything', async () => {
  const place = newPlace();
  const fixture = await bundleFixture(new URL('./lingering-fixture.ts', import.meta.url));
  for (const others of ['silent', 'busy']) {
    const { stdout } = await promisify(execFile)(process.execPath, [fixture, place.path, others]);
    expect(stdout).toBe(others === 'busy' ? 'heard\n' : '');
  }
});
