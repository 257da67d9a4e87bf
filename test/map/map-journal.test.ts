import fs from 'node:fs';
import path from 'node:path';
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { MapChange } from '../../src/disk/map/map-area.ts';
import { MapClient } from '../../src/disk/map/map-client.ts';
import { MapJournal, type MapJournalOptions } from '../../src/disk/map/map-journal.ts';
import { DEFAULT_QUOTA } from '../../src/disk/map/map-state.ts';
import type { BucketPlace } from '../../src/disk/place.ts';
import { newPlace, newSession, ownUrl, removePlaces, until } from './temporary-bucket.ts';

const open: MapJournal[] = [];

/** Each is a realm of its own, as far as the map goes. */
function realm(place: BucketPlace, options: Partial<MapJournalOptions> = {}): MapJournal {
  const map = new MapJournal(place, { url: ownUrl, ...options });
  open.push(map);
  return map;
}

const clientOf = (map: MapJournal, url = ownUrl) => map.client(newSession(), url);

afterEach(() => {
  vi.restoreAllMocks();
  for (const map of open.splice(0)) map.close();
  removePlaces();
});

describe('a bucket that does not exist', () => {
  test('reads as empty, and no read or removal creates it', () => {
    const place = newPlace();
    const client = clientOf(realm(place));
    expect([client.get('a'), client.key(0), client.length, client.keys()]).toEqual([null, null, 0, []]);
    client.remove('a');
    client.clear();
    client.subscribe(() => undefined);
    expect(place.ensured).toBe(0);
    expect(fs.existsSync(path.dirname(place.path))).toBe(false);
  });

  test('is created by the first value that is set', () => {
    const place = newPlace();
    const map = realm(place);
    clientOf(map).set('a', '1');
    clientOf(map).set('b', '2');
    expect(place.ensured).toBe(1);
    expect(clientOf(realm(place)).keys()).toEqual(['a', 'b']);
  });

  test('appears to readers as soon as somebody else has created it', () => {
    const place = newPlace();
    const reader = clientOf(realm(place));
    expect(reader.get('a')).toBe(null);
    clientOf(realm(place)).set('a', '1');
    expect(reader.get('a')).toBe('1');
  });

  test('is watched for by subscribers, who hear of its first change', async () => {
    const place = newPlace();
    const changes: MapChange[] = [];
    clientOf(realm(place)).subscribe((change) => changes.push(change));
    const writer = clientOf(realm(place));
    writer.set('a', '1');
    await until(() => changes.length > 0);
    expect(changes).toEqual([{ key: 'a', oldValue: null, newValue: '1', url: ownUrl, session: writer.session }]);
  });
});

describe('two realms', () => {
  test('see each other\'s writes at once', () => {
    const place = newPlace();
    const [a, b] = [clientOf(realm(place)), clientOf(realm(place))];
    for (let index = 0; index < 100; index++) {
      a.set('k', `a${index}`);
      expect(b.get('k')).toBe(`a${index}`);
      b.set('k', `b${index}`);
      expect(a.get('k')).toBe(`b${index}`);
    }
    b.remove('k');
    expect([a.get('k'), a.length]).toEqual([null, 0]);
  });

  test('a value that was there when this realm last looked is set again if it is gone by now', () => {
    const place = newPlace();
    const [a, b] = [clientOf(realm(place)), clientOf(realm(place))];
    a.set('k', '1');
    b.set('k', '2');
    a.set('k', '1');
    expect(b.get('k')).toBe('1');
    b.clear();
    a.set('k', '1');
    expect(b.get('k')).toBe('1');
  });

  test('room that another realm has made can be used', () => {
    const place = newPlace();
    const options = { quota: 20 };
    const [a, b] = [clientOf(realm(place, options)), clientOf(realm(place, options))];
    expect(a.set('aaaaa', '12345').accepted).toBe(true);
    expect(a.set('b', '1').accepted).toBe(false);
    b.clear();
    expect(a.set('b', '1').accepted).toBe(true);
  });

  test('what would change nothing is not written', () => {
    const place = newPlace();
    const client = clientOf(realm(place));
    client.set('a', '1');
    const write = vi.spyOn(fs, 'writeSync');
    client.set('a', '1');
    client.remove('b');
    client.set('big', 'x'.repeat(DEFAULT_QUOTA));
    expect(write).not.toHaveBeenCalled();
    client.clear();
    expect(write).toHaveBeenCalledTimes(1);
    client.clear();
    expect(write).toHaveBeenCalledTimes(1);
  });
});

describe('system calls', () => {
  test('a read costs one positioned read, a write one append and one read', () => {
    const client = clientOf(realm(newPlace()));
    client.set('a', '1');
    client.get('a');
    const calls = (['readSync', 'writeSync', 'fstatSync', 'statSync', 'openSync'] as const).map((name) => vi.spyOn(fs, name));
    client.get('a');
    expect(calls.map((call) => call.mock.calls.length)).toEqual([1, 0, 0, 0, 0]);
    client.set('a', '2');
    expect(calls.map((call) => call.mock.calls.length)).toEqual([2, 1, 0, 0, 0]);
  });
});

describe('the quota option', () => {
  test('becomes everybody\'s with the first value set', () => {
    const place = newPlace();
    const plain = clientOf(realm(place));
    plain.set('k', '12345');
    const small = clientOf(realm(place, { quota: 10 }));
    expect(small.get('k')).toBe('12345');
    expect(small.set('l', '')).toEqual({ accepted: false, quota: 10, requested: 14 });
    expect(plain.set('l', '')).toEqual({ accepted: false, quota: 10, requested: 14 });
  });

  test('is recorded once, and not at all where it is the quota already', () => {
    const place = newPlace();
    clientOf(realm(place, { quota: 1000 })).set('a', '1');
    const again = clientOf(realm(place, { quota: 1000 }));
    again.get('a');
    const write = vi.spyOn(fs, 'writeSync');
    again.set('a', '2');
    again.set('a', '3');
    expect(write).toHaveBeenCalledTimes(2);
  });

  test('outlives compaction', () => {
    const place = newPlace();
    const client = clientOf(realm(place, { quota: 100, compactAt: 2000 }));
    for (let index = 0; index < 500; index++) client.set('k', `${index}`);
    expect(fs.readdirSync(path.join(place.path, 'local-storage'))).not.toContain('0');
    const other = clientOf(realm(place));
    expect(other.get('k')).toBe('499');
    expect(other.set('k', 'x'.repeat(50))).toEqual({ accepted: false, quota: 100, requested: 102 });
  });
});

describe('subscribers', () => {
  test('of this realm hear at once of what other clients of it write, and never of their own writes', () => {
    const map = realm(newPlace());
    const [a, b] = [clientOf(map, `${ownUrl}a`), clientOf(map, 'https://elsewhere.example/\u{1f600}')];
    const heard: [string, MapChange][] = [];
    a.subscribe((change) => heard.push(['a', change]));
    b.subscribe((change) => heard.push(['b', change]));
    a.set('k', '1');
    b.set('k', '2');
    b.clear();
    expect(heard).toEqual([
      ['b', { key: 'k', oldValue: null, newValue: '1', url: a.url, session: a.session }],
      ['a', { key: 'k', oldValue: '1', newValue: '2', url: b.url, session: b.session }],
      ['a', { key: null, oldValue: null, newValue: null, url: b.url, session: b.session }],
    ]);
  });

  test('hear of other realms\' writes when their own realm reads, and only once', async () => {
    const place = newPlace();
    const [a, b] = [clientOf(realm(place)), clientOf(realm(place))];
    const heard: (string | null)[] = [];
    a.subscribe((change) => heard.push(change.newValue));
    b.set('k', '1');
    expect(a.get('k')).toBe('1');
    expect(heard).toEqual(['1']);
    b.set('k', '2');
    await until(() => heard.length > 1);
    expect(a.get('k')).toBe('2');
    b.set('end', '');
    await until(() => heard.at(-1) === '');
    expect(heard).toEqual(['1', '2', '']);
  });

  test('hear nothing of what was written before they subscribed, nor after they left', async () => {
    const place = newPlace();
    const writer = clientOf(realm(place));
    const map = realm(place);
    const [a, b] = [clientOf(map), clientOf(map)];
    writer.set('k', 'before');
    const heard: (string | null)[] = [];
    const leave = a.subscribe((change) => heard.push(change.newValue));
    writer.set('k', 'during');
    await until(() => heard.length === 1);
    leave();
    writer.set('k', 'after');
    b.subscribe((change) => heard.push(`b: ${change.newValue}`));
    writer.set('k', 'end');
    await until(() => heard.length > 1);
    expect(heard).toEqual(['during', 'b: end']);
  });

  test('two generations behind still hear of every change', async () => {
    const place = newPlace();
    const writer = clientOf(realm(place, { compactAt: 20_000 }));
    const heard: (string | null)[] = [];
    writer.set('k', 'first');
    clientOf(realm(place)).subscribe((change) => heard.push(change.newValue));
    const values = [];
    // The subscriber's realm gets no turn before the loop ends.
    while (newestGeneration(place) < 2) {
      values.push(`${values.length}`);
      writer.set('k', `${values.length - 1}`);
    }
    await until(() => heard.length >= values.length);
    expect(heard).toEqual(values);
  });

  test('further behind hear of each key that differs once, and of everything before and after the gap', async () => {
    const place = newPlace();
    const writer = clientOf(realm(place, { compactAt: 20_000 }));
    for (const key of ['same', 'gone', 'other']) writer.set(key, 'before');
    const heard: MapChange[] = [];
    clientOf(realm(place)).subscribe((change) => heard.push(change));
    let writes = 0;
    for (; newestGeneration(place) < 4; writes++) writer.set('other', `${writes}`);
    writer.remove('gone');
    for (; newestGeneration(place) < 8; writes++) writer.set('other', `${writes}`);
    writer.set('other', 'after');
    await until(() => heard.at(-1)?.newValue === 'after');
    const inGap = heard.filter(({ session }) => session === 0);
    expect(inGap.map(({ key, url }) => [key, url])).toEqual([['gone', ownUrl], ['other', ownUrl]]);
    expect(inGap[0]).toMatchObject({ oldValue: 'before', newValue: null });
    const others = heard.filter(({ key }) => key === 'other');
    expect(others.length).toBeLessThan(writes);
    expect(others.map(({ oldValue }) => oldValue)).toEqual(['before', ...others.slice(0, -1).map(({ newValue }) => newValue)]);
    expect(heard).toHaveLength(others.length + 1);
  });

  test('hear of changes also where nothing can be watched', async () => {
    vi.spyOn(fs, 'watch').mockImplementation(() => {
      throw Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' });
    });
    const place = newPlace();
    const heard: (string | null)[] = [];
    const leave = clientOf(realm(place)).subscribe((change) => heard.push(change.newValue));
    clientOf(realm(place)).set('k', '1');
    await until(() => heard.length > 0);
    expect(heard).toEqual(['1']);
    leave();
  });

  test('hear of changes also after the watch has failed', async () => {
    const watchers: fs.FSWatcher[] = [];
    const { watch } = fs;
    vi.spyOn(fs, 'watch').mockImplementation(((...args: Parameters<typeof fs.watch>) => {
      const watcher = watch(...args);
      watchers.push(watcher);
      return watcher;
    }) as typeof fs.watch);
    const place = newPlace();
    const writer = clientOf(realm(place));
    writer.set('k', '0');
    const heard: (string | null)[] = [];
    clientOf(realm(place)).subscribe((change) => heard.push(change.newValue));
    expect(watchers).toHaveLength(1);
    watchers[0]?.emit('error', new Error('ENOSPC'));
    writer.set('k', '1');
    await until(() => heard.length > 0);
    expect(heard).toEqual(['1']);
  });

  test('hear outside the context of whoever subscribed', async () => {
    const context = new AsyncLocalStorage<string>();
    const place = newPlace();
    const seen: (string | undefined)[] = [];
    const subscriber = clientOf(realm(place));
    context.run('tenant', () => subscriber.subscribe(() => seen.push(context.getStore())));
    clientOf(realm(place)).set('k', '1');
    await until(() => seen.length > 0);
    expect(seen).toEqual([undefined]);
  });

  test('of a damaged journal hear nothing, and nothing throws at them', () => {
    const place = newPlace();
    clientOf(realm(place)).set('k', '1');
    for (const file of fs.readdirSync(path.join(place.path, 'local-storage'), { withFileTypes: true })) {
      if (file.isFile()) fs.writeFileSync(path.join(place.path, 'local-storage', file.name), 'garbage'.repeat(100));
    }
    const client = clientOf(realm(place));
    client.subscribe(() => expect.unreachable());
    expect(() => client.get('k')).toThrow(expect.objectContaining({ name: 'HoldfastError', code: 'journal-damaged' }));
  });
});

function newestGeneration(place: BucketPlace): number {
  return Math.max(...fs.readdirSync(path.join(place.path, 'local-storage')).filter((name) => /^\d+$/.test(name)).map(Number));
}

test('of many maps only a bounded number is open, and all of them work', () => {
  const places = Array.from({ length: 400 }, newPlace);
  const descriptors = () => fs.readdirSync('/proc/self/fd').length;
  const before = descriptors();
  const clients = places.map((place) => clientOf(realm(place)));
  clients.forEach((client, index) => client.set('k', `${index}`));
  expect(descriptors() - before).toBeLessThan(300);
  expect(clients.map((client) => client.get('k'))).toEqual(clients.map((_, index) => `${index}`));
  expect(descriptors() - before).toBeLessThan(300);
});

test('a client that has used up its sequence numbers goes on, and still does not hear itself', () => {
  const map = realm(newPlace());
  const [writer, other] = [new MapClient(map, newSession(), ownUrl, 2 ** 32 - 3), clientOf(map)];
  const heard: string[] = [];
  writer.subscribe((change) => heard.push(`writer: ${change.newValue}`));
  other.subscribe((change) => heard.push(`other: ${change.newValue}`));
  for (const value of ['1', '2', '3', '4']) writer.set('k', value);
  expect(writer.get('k')).toBe('4');
  expect(heard).toEqual(['1', '2', '3', '4'].map((value) => `other: ${value}`));
});

test('a strict writer makes sure of a bucket that others have made, once', () => {
  const place = newPlace();
  clientOf(realm(place)).set('k', '1');
  place.ensured = 0;
  const strict = clientOf(realm(place, { durability: 'strict' }));
  strict.get('k');
  expect(place.ensured).toBe(0);
  strict.set('k', '2');
  strict.set('k', '3');
  expect(place.ensured).toBe(1);
});

test('a closed map refuses reads and writes', () => {
  const map = realm(newPlace());
  const client = clientOf(map);
  client.set('k', '1');
  map.close();
  const closed = expect.objectContaining({ name: 'HoldfastError', code: 'closed' });
  expect(() => client.get('k')).toThrow(closed);
  expect(() => client.set('k', '2')).toThrow(closed);
});
