import { describe, expect, test } from 'vitest';
import { MemoryMap } from '../../src/disk/map/memory-map.ts';
import { broadcast } from '../../src/web-storage/broadcast.ts';
import { createStorage, Storage } from '../../src/web-storage/storage.ts';
import { StorageEvent } from '../../src/web-storage/storage-event.ts';
import { until } from '../map/temporary-bucket.ts';

const storage = createStorage(new MemoryMap());

function facts(event: StorageEvent): unknown[] {
  const { type, bubbles, cancelable, key, oldValue, newValue, url, storageArea } = event;
  return [type, bubbles, cancelable, key, oldValue, newValue, url, storageArea === storage ? 'storage' : storageArea];
}

describe('the constructor', () => {
  test('defaults to null, and to an empty url', () => {
    for (const init of [[], [undefined], [null], [{}]]) {
      const event: StorageEvent = Reflect.construct(StorageEvent, ['storage', ...init]);
      expect(facts(event)).toEqual(['storage', false, false, null, null, null, '', null]);
      expect([event instanceof Event, event.composed]).toEqual([true, false]);
    }
  });

  test('takes every member', () => {
    const init = { bubbles: true, cancelable: true, composed: true, key: 'k', oldValue: 'o', newValue: 'n', url: 'u', storageArea: storage };
    const event = new StorageEvent('x', init);
    expect([...facts(event), event.composed]).toEqual(['x', true, true, 'k', 'o', 'n', 'u', 'storage', true]);
  });

  test('converts as Web IDL says', () => {
    const event = new StorageEvent(null as unknown as string, { key: undefined, oldValue: 1, newValue: null, url: '\ud800' } as never);
    expect(facts(event)).toEqual(['null', false, false, null, '1', null, '\ufffd', null]);
  });

  test.each([
    [[], '1 argument required, but only 0 present'],
    [['x', 1], 'parameter 2 is not an object'],
    [['x', { storageArea: {} }], "parameter 2: member 'storageArea' is not a Storage"],
    [['x', { storageArea: Object.create(Storage.prototype) as object }], "parameter 2: member 'storageArea' is not a Storage"],
    [[Symbol('s')], 'parameter 1 is a symbol'],
  ])('refuses %o', (args, message) => {
    const construct = () => Reflect.construct(StorageEvent, args) as unknown;
    expect(construct).toThrow(TypeError);
    expect(construct).toThrow(`Failed to construct 'StorageEvent': ${message}`);
  });

  test('has one required argument and the shape of an interface', () => {
    expect([StorageEvent.length, StorageEvent.name, StorageEvent.prototype.initStorageEvent.length]).toEqual([1, 'StorageEvent', 1]);
    expect(Object.keys(StorageEvent.prototype).sort()).toEqual(['initStorageEvent', 'key', 'newValue', 'oldValue', 'storageArea', 'url']);
    expect(Object.prototype.toString.call(new StorageEvent('x'))).toBe('[object StorageEvent]');
    expect(Object.getPrototypeOf(StorageEvent)).toBe(Event);
  });
});

describe('initStorageEvent', () => {
  test('sets everything anew, absent arguments to their defaults', () => {
    const event = new StorageEvent('a', { bubbles: true, key: 'k', url: 'u', storageArea: storage });
    event.initStorageEvent('b');
    expect(facts(event)).toEqual(['b', false, false, null, null, null, '', null]);
    event.initStorageEvent('c', true, true, 'k', 'o', 'n', 'u', storage);
    expect(facts(event)).toEqual(['c', true, true, 'k', 'o', 'n', 'u', 'storage']);
    Reflect.apply(event.initStorageEvent, event, ['d', undefined, undefined, undefined, null, undefined, undefined, undefined]);
    expect(facts(event)).toEqual(['d', false, false, null, null, null, '', null]);
  });

  test('does nothing while the event is being dispatched', () => {
    const event = new StorageEvent('a', { key: 'k' });
    const target = new EventTarget();
    target.addEventListener('a', () => event.initStorageEvent('b', false, false, 'other'));
    target.dispatchEvent(event);
    expect([event.type, event.key]).toEqual(['a', 'k']);
    event.initStorageEvent('b', false, false, 'other');
    expect([event.type, event.key]).toEqual(['b', 'other']);
  });

  test('refuses what is no Storage, too few arguments, and a forged event', () => {
    const event = new StorageEvent('a', { key: 'k' });
    expect(() => event.initStorageEvent('b', false, false, null, null, null, '', {} as Storage)).toThrow(TypeError);
    expect(() => Reflect.apply(event.initStorageEvent, event, [])).toThrow(TypeError);
    expect([event.type, event.key]).toEqual(['a', 'k']);
    const forged = Object.create(StorageEvent.prototype) as StorageEvent;
    expect(() => forged.initStorageEvent('b')).toThrow('Illegal invocation');
    expect(() => forged.key).toThrow('Illegal invocation');
  });
});

describe('broadcast', () => {
  const change = (newValue: string) => ({ key: 'k', oldValue: 'o', newValue, url: 'https://app.example/', session: 1 });

  test('dispatches an event for each change, in order, each in a task of its own', async () => {
    const target = new EventTarget();
    const log: string[] = [];
    target.addEventListener('storage', (event) => {
      const { newValue, storageArea, url, oldValue } = event as StorageEvent;
      log.push(`${newValue}`);
      expect([oldValue, url, storageArea === storage, event.bubbles, event.cancelable]).toEqual(['o', 'https://app.example/', true, false, false]);
      queueMicrotask(() => log.push(`after ${newValue}`));
    });
    broadcast(change('1'), storage, target);
    broadcast(change('2'), storage, target);
    expect(log).toEqual([]);
    await until(() => log.length === 4);
    expect(log).toEqual(['1', 'after 1', '2', 'after 2']);
  });
});
