import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { MapJournal, type MapJournalOptions } from '../../src/disk/map/map-journal.ts';
import { MemoryMap } from '../../src/disk/map/memory-map.ts';
import type { BucketPlace } from '../../src/disk/place.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { createStorage, type Storage } from '../../src/web-storage/storage.ts';
import { QuotaExceededError } from '../../src/webidl/quota-exceeded-error.ts';
import { newPlace, newSession, ownUrl, removePlaces } from '../map/temporary-bucket.ts';

const open: MapJournal[] = [];

function storageOn(place: BucketPlace, options: Partial<MapJournalOptions> = {}): Storage {
  const map = new MapJournal(place, { url: ownUrl, ...options });
  open.push(map);
  return createStorage(map.client(newSession(), ownUrl));
}

afterEach(() => {
  vi.restoreAllMocks();
  for (const map of open.splice(0)) map.close();
  removePlaces();
});

function thrownBy(action: () => unknown): DOMException & { quota?: unknown; requested?: unknown } {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(DOMException);
    return error as DOMException;
  }
  return expect.unreachable() as never;
}

function failing(code: string): () => never {
  return () => {
    throw Object.assign(new Error(`${code}: injected`), { code, errno: -1, syscall: 'injected' });
  };
}

describe.each([
  ['in memory', () => createStorage(new MemoryMap(40))],
  ['on disk', () => storageOn(newPlace(), { quota: 40 })],
])('beyond the quota %s', (_, create) => {
  test.each([
    ['setItem', (storage: Storage) => storage.setItem('long', 'x'.repeat(17))],
    ['assignment', (storage: Storage) => { storage['long'] = 'x'.repeat(17); }],
    ['defineProperty', (storage: Storage) => Object.defineProperty(storage, 'long', { value: 'x'.repeat(17) })],
  ])('%s throws a QuotaExceededError with both numbers and changes nothing', (_way, write) => {
    const storage = create();
    const error = thrownBy(() => write(storage));
    expect(error).toBeInstanceOf(QuotaExceededError);
    expect([error.name, error.quota, error.requested]).toEqual(['QuotaExceededError', 40, 42]);
    expect(error.message).toMatch(/^Failed to execute 'setItem' on 'Storage': setting the value of 'long' .* 42 bytes; its quota is 40\.$/);
    expect(storage.length).toBe(0);
    storage.setItem('long', 'x'.repeat(16));
    expect(thrownBy(() => storage.setItem('', 'x')).requested).toBe(42);
  });
});

test('a message shows only the beginning of a long key', () => {
  const error = thrownBy(() => createStorage(new MemoryMap()).setItem('k'.repeat(6_000_000), ''));
  expect(error.message.length).toBeLessThan(300);
  expect(error.message).toContain('6000000 code units');
});

describe('a root that takes no data', () => {
  const refusing = (code: 'root-read-only' | 'root-unusable' | 'disk-full'): BucketPlace => ({
    path: newPlace().path,
    ensure: () => { throw new HoldfastError(code, `Cannot write to the root /data: ${code}.`, { cause: new Error('EROFS') }); },
  });

  test.each(['root-read-only', 'root-unusable', 'disk-full'] as const)('reads as empty and refuses writes, naming the root: %s', (code) => {
    const storage = storageOn(refusing(code));
    expect([storage.length, storage.getItem('a'), Object.keys(storage)]).toEqual([0, null, []]);
    const error = thrownBy(() => storage.setItem('a', '1'));
    expect(error).toBeInstanceOf(QuotaExceededError);
    expect([error.message.includes('/data'), error.message.includes("'a'"), error.quota, error.requested]).toEqual([true, true, null, null]);
    expect(error.cause).toBeInstanceOf(HoldfastError);
    storage.removeItem('a');
    storage.clear();
  });

  test.each([
    ['EROFS', 'openSync'],
    ['EACCES', 'openSync'],
    ['ENOSPC', 'writeSync'],
    ['EDQUOT', 'writeSync'],
  ] as const)('keeps what it holds readable, and takes writes again when it can: %s in %s', (code, call) => {
    const place = newPlace();
    storageOn(place).setItem('a', '1');
    const storage = storageOn(place);
    const real = fs[call] as (...args: unknown[]) => number;
    let broken = true;
    vi.spyOn(fs, call).mockImplementation(((...args: unknown[]) => {
      const writes = call === 'writeSync' || (typeof args[1] === 'number' && (args[1] & (fs.constants.O_WRONLY | fs.constants.O_RDWR)) !== 0);
      return broken && writes ? failing(code)() : real(...args);
    }) as never);
    expect([storage.getItem('a'), storage['a'], storage.length]).toEqual(['1', '1', 1]);
    for (const write of [() => storage.setItem('b', '2'), () => storage.removeItem('a'), () => storage.clear()]) {
      const error = thrownBy(write);
      expect(error.name).toBe('QuotaExceededError');
      expect(error.message).toContain(path.dirname(place.path));
      expect(((error.cause as HoldfastError).cause as NodeJS.ErrnoException).code).toBe(code);
    }
    expect({ ...storage }).toEqual({ a: '1' });
    broken = false;
    storage.setItem('b', '2');
    expect({ ...storage }).toEqual({ a: '1', b: '2' });
  });
});

test('a disk that fails is an UnknownError, and the next call tries again', () => {
  const storage = storageOn(newPlace());
  storage.setItem('a', '1');
  vi.spyOn(fs, 'readSync').mockImplementationOnce(failing('EIO'));
  const error = thrownBy(() => storage.getItem('a'));
  expect([error.name, (error.cause as HoldfastError).code]).toEqual(['UnknownError', 'disk-failed']);
  expect(error.message).toMatch(/^Failed to execute 'getItem' on 'Storage' for the key 'a': /);
  expect(storage.getItem('a')).toBe('1');
});

test('a damaged journal is an UnknownError for every use', () => {
  const place = newPlace();
  storageOn(place).setItem('a', '1');
  const directory = path.join(place.path, 'local-storage');
  fs.writeFileSync(path.join(directory, '0'), 'garbage');
  const storage = storageOn(place);
  const uses = [() => storage.length, () => storage.key(0), () => storage.getItem('a'), () => storage.setItem('a', '1'), () => storage.clear(), () => Object.keys(storage)];
  for (const use of uses) expect(thrownBy(use).name).toBe('UnknownError');
});

test('a closed map is an InvalidStateError for every use', () => {
  const storage = storageOn(newPlace());
  storage.setItem('a', '1');
  open.at(-1)?.close();
  for (const use of [() => storage.length, () => storage['a'], () => storage.setItem('a', '1'), () => storage.removeItem('a'), () => 'a' in storage]) {
    expect(thrownBy(use).name).toBe('InvalidStateError');
  }
});
