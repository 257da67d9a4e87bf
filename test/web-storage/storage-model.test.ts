import fc from 'fast-check';
import { afterAll, describe, expect, test } from 'vitest';
import type { MapArea } from '../../src/disk/map/map-area.ts';
import { MapJournal } from '../../src/disk/map/map-journal.ts';
import { MemoryMap } from '../../src/disk/map/memory-map.ts';
import { createStorage, Storage } from '../../src/web-storage/storage.ts';
import { newPlace, newSession, ownUrl, removePlaces } from '../map/temporary-bucket.ts';

const hostile = ['', 'length', 'key', 'getItem', '__proto__', 'constructor', 'prototype', '0', '-1', '1e3', '\0', '\ud800', '\udc00\ud800', '.', '..', '/', 'a'];
const key = fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...hostile) }, fc.string({ maxLength: 3, unit: 'binary' }));
const value = fc.oneof(fc.string({ maxLength: 8, unit: 'binary' }), fc.constantFrom('', '\ud83d', '\ufeff'));
const ways = ['setItem', 'assign', 'define'] as const;
const step = fc.oneof(
  fc.record({ do: fc.constantFrom(...ways), key, value }),
  fc.record({ do: fc.constantFrom('removeItem', 'delete', 'read'), key }),
  fc.record({ do: fc.constantFrom('clear', 'list') }),
);

type Step = { do: string; key?: string; value?: string };

const isHidden = (name: string): boolean => name in Storage.prototype;

function perform(storage: Storage, { do: what, key: name = '', value: item = '' }: Step): void {
  if (what === 'setItem') storage.setItem(name, item);
  else if (what === 'assign') storage[name] = item;
  else if (what === 'define') Object.defineProperty(storage, name, { value: item });
  else if (what === 'removeItem') storage.removeItem(name);
  else if (what === 'delete') delete storage[name];
  else if (what === 'clear') storage.clear();
}

function performOnModel(model: Map<string, string>, { do: what, key: name = '', value: item = '' }: Step): void {
  if (what === 'setItem' || what === 'assign' || what === 'define') model.set(name, item);
  else if (what === 'removeItem' || (what === 'delete' && !isHidden(name))) model.delete(name);
  else if (what === 'clear') model.clear();
}

function expectSame(storage: Storage, model: Map<string, string>, name: string): void {
  const keys = [...model.keys()];
  const visible = keys.filter((candidate) => !isHidden(candidate));
  expect(storage.length).toBe(keys.length);
  expect(keys.map((_, index) => storage.key(index))).toEqual(keys);
  expect(keys.map((candidate) => storage.getItem(candidate))).toEqual([...model.values()]);
  expect(storage.getItem(name)).toBe(model.get(name) ?? null);
  expect(Reflect.ownKeys(storage)).toEqual(visible);
  expect(Object.hasOwn(storage, name)).toBe(visible.includes(name));
  expect(name in storage).toBe(visible.includes(name) || isHidden(name));
  if (!isHidden(name)) expect(storage[name]).toBe(model.get(name));
}

const maps: MapJournal[] = [];

/** Two objects over one map in two realms, with compaction every few records. */
function onDisk(): [MapArea, MapArea] {
  const place = newPlace();
  const realm = (): MapArea => {
    const map = new MapJournal(place, { url: ownUrl, compactAt: 1500 });
    maps.push(map);
    return map.client(newSession(), ownUrl);
  };
  return [realm(), realm()];
}

function inMemory(): [MapArea, MapArea] {
  const map = new MemoryMap();
  return [map, map];
}

afterAll(() => {
  for (const map of maps) map.close();
  removePlaces();
});

describe.each([
  ['in memory', inMemory, 300],
  ['on disk, in two realms', onDisk, 60],
] as const)('a Storage %s', (_, create, numRuns) => {
  test('behaves as a Map does, in whatever way it is used', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 40 }), (steps) => {
        const [first, second] = create().map(createStorage) as [Storage, Storage];
        const model = new Map<string, string>();
        for (const [next, which] of steps) {
          perform(which ? first : second, next);
          performOnModel(model, next);
          expectSame(which ? second : first, model, ('key' in next ? next.key : undefined) ?? 'a');
        }
      }),
      { numRuns },
    );
  });
});
