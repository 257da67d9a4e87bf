import { inspect } from 'node:util';
import { beforeEach, describe, expect, test } from 'vitest';
import { MemoryMap } from '../../src/disk/map/memory-map.ts';
import { createStorage, isStorage, Storage } from '../../src/web-storage/storage.ts';

let map: MemoryMap;
let storage: Storage;

beforeEach(() => {
  map = new MemoryMap();
  storage = createStorage(map);
});

const unusual = ['', ' ', '0', '01', '-1', '1.5', '4294967295', 'a b', '\0', '\ud800', '\u{1f600}', 'then'];
const hidden = ['length', 'key', 'getItem', 'setItem', 'removeItem', 'clear', 'constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf'];

describe('methods', () => {
  test('keep pairs in the order in which their keys came, whatever happens to their values', () => {
    for (const key of ['b', '1', 'a', '0']) storage.setItem(key, `value of ${key}`);
    storage.setItem('1', 'new');
    expect([storage.length, storage.key(0), storage.key(1), storage.key(3), storage.key(4)]).toEqual([4, 'b', '1', '0', null]);
    storage.removeItem('b');
    storage.setItem('b', 'again');
    expect([...map.keys()]).toEqual(['1', 'a', '0', 'b']);
    storage.clear();
    expect([storage.length, storage.getItem('a'), storage.key(0)]).toEqual([0, null, null]);
  });

  test.each([...unusual, ...hidden])('store the key %j like any other', (key) => {
    storage.setItem(key, `value of ${key}`);
    expect([storage.getItem(key), storage.length, storage.key(0)]).toEqual([`value of ${key}`, 1, key]);
    storage.removeItem(key);
    expect([storage.getItem(key), storage.length]).toEqual([null, 0]);
  });

  test.each([
    [undefined, 'undefined'],
    [null, 'null'],
    [0, '0'],
    [-0, '0'],
    [1e21, '1e+21'],
    [true, 'true'],
    [[1, [2, 3]], '1,2,3'],
    [{}, '[object Object]'],
    [{ toString: () => 'own' }, 'own'],
    [10n, '10'],
  ])('convert %o to a string', (value, string) => {
    storage.setItem(value as string, value as string);
    expect([map.keys(), map.get(string), storage.getItem(value as string)]).toEqual([[string], string, string]);
    storage.removeItem(value as string);
    expect(storage.length).toBe(0);
  });

  test.each([
    [-1, null],
    [0, 'a'],
    [0.9, 'a'],
    [-0.9, 'a'],
    [NaN, 'a'],
    [Infinity, 'a'],
    ['1', 'b'],
    [null, 'a'],
    [2 ** 32 + 1, 'b'],
    [2, null],
  ])('take %o for an unsigned long', (index, key) => {
    storage.setItem('a', '');
    storage.setItem('b', '');
    expect(storage.key(index as number)).toBe(key);
  });

  test('convert the key before the value, and neither when the other is missing', () => {
    const log: string[] = [];
    const part = (name: string) => ({ toString: () => `${log.push(name)}` }) as unknown as string;
    storage.setItem(part('key'), part('value'));
    expect(log).toEqual(['key', 'value']);
    expect(() => Reflect.apply(storage.setItem, storage, [part('third')])).toThrow(TypeError);
    expect(log).toHaveLength(2);
  });

  test.each([
    ['key', [], '1 argument required, but only 0 present'],
    ['getItem', [], '1 argument required, but only 0 present'],
    ['setItem', ['a'], '2 arguments required, but only 1 present'],
    ['removeItem', [], '1 argument required, but only 0 present'],
    ['getItem', [Symbol('s')], 'parameter 1 is a symbol'],
    ['setItem', ['a', Symbol('s')], 'parameter 2 is a symbol'],
  ])('%s(%o) is a TypeError that says why', (name, args, message) => {
    const call = () => Reflect.apply(storage[name] as () => unknown, storage, args);
    expect(call).toThrow(TypeError);
    expect(call).toThrow(`Failed to execute '${name}' on 'Storage': ${message}`);
  });

  test('throw what a conversion throws', () => {
    const hostile = { toString: () => { throw new RangeError('mine'); } } as unknown as string;
    expect(() => storage.setItem('a', hostile)).toThrow(RangeError);
    expect(storage.length).toBe(0);
  });
});

describe('the interface', () => {
  test('cannot be constructed', () => {
    expect(() => new Storage()).toThrow(new TypeError('Illegal constructor'));
    expect(() => (Storage as unknown as () => void)()).toThrow(TypeError);
  });

  test('has the shape of an interface object', () => {
    expect(Object.getPrototypeOf(Storage)).toBe(Function.prototype);
    expect(Object.getPrototypeOf(Storage.prototype)).toBe(Object.prototype);
    expect(Object.keys(Storage.prototype).sort()).toEqual(['clear', 'getItem', 'key', 'length', 'removeItem', 'setItem']);
    expect(Object.prototype.toString.call(storage)).toBe('[object Storage]');
    expect([storage instanceof Storage, storage.constructor]).toEqual([true, Storage]);
  });

  test.each([
    ['a forged prototype', () => Object.create(Storage.prototype) as Storage],
    ['the prototype itself', () => Storage.prototype],
    ['an object that inherits from a Storage', () => Object.create(storage) as Storage],
    ['a proxy of a Storage', () => new Proxy(storage, {})],
    ['a primitive', () => 'storage' as unknown as Storage],
    ['nothing', () => undefined as unknown as Storage],
  ])('refuses %s as this', (_, forge) => {
    const forged = forge();
    expect(isStorage(forged)).toBe(false);
    for (const [name, { value, get }] of Object.entries(Object.getOwnPropertyDescriptors(Storage.prototype))) {
      if (name === 'constructor') continue;
      const member = (get ?? value) as () => unknown;
      expect(() => Reflect.apply(member, forged, ['a', 'b']), name).toThrow('Illegal invocation');
    }
  });

  test('cannot be cloned', () => {
    expect(() => structuredClone(storage)).toThrow(DOMException);
  });
});

describe('reading named properties', () => {
  test.each(unusual)('%j is a property while it is an item', (key) => {
    expect([storage[key], key in storage, Object.hasOwn(storage, key)]).toEqual([undefined, false, false]);
    map.set(key, 'v');
    expect([storage[key], key in storage, Object.hasOwn(storage, key)]).toEqual(['v', true, true]);
    expect(Object.getOwnPropertyDescriptor(storage, key)).toEqual({ value: 'v', writable: true, enumerable: true, configurable: true });
    expect(Reflect.ownKeys(storage)).toEqual([key]);
    map.set(key, '');
    expect([storage[key], key in storage]).toEqual(['', true]);
  });

  test.each(hidden)('an item %j is hidden by the prototype chain', (key) => {
    const before = storage[key];
    map.set(key, 'v');
    const length = key === 'length' ? 1 : before;
    expect([storage[key], key in storage, Object.hasOwn(storage, key)]).toEqual([length, true, false]);
    expect(Object.getOwnPropertyDescriptor(storage, key)).toBe(undefined);
    expect([Reflect.ownKeys(storage), Object.keys(storage)]).toEqual([[], []]);
    expect(storage.getItem(key)).toBe('v');
  });

  test('an item is hidden as long as a prototype has its name, even with the value undefined', () => {
    map.set('late', 'item');
    const prototype = Storage.prototype as unknown as Record<string, unknown>;
    prototype['late'] = undefined;
    try {
      expect([storage['late'], Object.keys(storage), 'late' in storage]).toEqual([undefined, [], true]);
    } finally {
      delete prototype['late'];
    }
    expect([storage['late'], Object.keys(storage)]).toEqual(['item', ['late']]);
  });

  test('a getter on the prototype is called once, with the storage itself', () => {
    const seen: unknown[] = [];
    Object.defineProperty(Storage.prototype, 'watched', { configurable: true, get(this: unknown) { seen.push(this); return undefined; } });
    try {
      expect(storage['watched']).toBe(undefined);
      expect(seen.length).toBe(1);
      expect(seen[0] === storage).toBe(true);
    } finally {
      delete (Storage.prototype as unknown as Record<string, unknown>)['watched'];
    }
  });

  test('supported names come in insertion order, then symbols', () => {
    const symbol = Symbol('s');
    Object.assign(storage, { b: '1', 2: '2', a: '3', 1: '4', [symbol]: 5, length: '6' });
    const names = ['1', '2', 'b', 'a'];
    expect(Reflect.ownKeys(storage)).toEqual([...names, symbol]);
    expect([Object.keys(storage), Object.getOwnPropertyNames(storage)]).toEqual([names, names]);
    expect(Object.entries(storage)).toEqual([['1', '4'], ['2', '2'], ['b', '1'], ['a', '3']]);
    const walked = [];
    for (const name in storage) walked.push(name);
    expect(walked.slice(0, 4)).toEqual(names);
    expect(walked.slice(4).sort()).toEqual(['clear', 'getItem', 'key', 'length', 'removeItem', 'setItem']);
    expect(storage.getItem('length')).toBe('6');
  });

  test('spread, JSON and Object.entries see the items', () => {
    Object.assign(storage, { z: '1', a: '2', getItem: 'hidden' });
    expect({ ...storage }).toEqual({ z: '1', a: '2' });
    expect(JSON.stringify(storage)).toBe('{"z":"1","a":"2"}');
    expect(Object.fromEntries(Object.entries(storage))).toEqual({ z: '1', a: '2' });
  });

  test('can be shown by inspect', () => {
    storage.setItem('a', '1');
    expect(inspect(storage)).toContain('Storage');
  });
});

describe('writing named properties', () => {
  test.each([...unusual, ...hidden])('assignment to %j stores an item, hidden or not', (key) => {
    const before = storage[key];
    storage[key] = 12;
    expect([map.get(key), map.length]).toEqual(['12', 1]);
    if (hidden.includes(key) && key !== 'length') expect(storage[key]).toBe(before);
    expect(Object.getPrototypeOf(storage)).toBe(Storage.prototype);
  });

  test('a setter on the prototype is not called', () => {
    Object.defineProperty(Storage.prototype, 'trap', { configurable: true, set: () => expect.unreachable() });
    try {
      storage['trap'] = 'v';
      expect(storage.getItem('trap')).toBe('v');
    } finally {
      delete (Storage.prototype as unknown as Record<string, unknown>)['trap'];
    }
  });

  test('a symbol as value is a TypeError', () => {
    expect(() => { storage['a'] = Symbol('s'); }).toThrow(TypeError);
    expect(storage.length).toBe(0);
  });

  test('an object that inherits from a storage gets properties of its own', () => {
    const child = Object.create(storage) as Record<string, unknown>;
    map.set('a', '1');
    expect(child['a']).toBe('1');
    child['a'] = 2;
    child['b'] = 3;
    expect([Object.entries(child), map.keys(), map.get('a')]).toEqual([[['a', 2], ['b', 3]], ['a'], '1']);
    expect(() => { 'use strict'; child['length'] = 1; }).toThrow(TypeError);
  });

  test('Reflect.set with another receiver writes to that receiver', () => {
    const other = {};
    expect(Reflect.set(storage, 'a', 1, other)).toBe(true);
    expect([other, storage.length]).toEqual([{ a: 1 }, 0]);
    const second = createStorage(new MemoryMap());
    expect(Reflect.set(storage, 'a', 1, second)).toBe(true);
    expect([second.getItem('a'), storage.length]).toEqual(['1', 0]);
  });
});

describe('defining properties', () => {
  test.each([...unusual, ...hidden])('a data property %j is stored as an item', (key) => {
    expect(Reflect.defineProperty(storage, key, { value: 1, writable: false, enumerable: false })).toBe(true);
    expect(map.get(key)).toBe('1');
    expect(Reflect.defineProperty(storage, key, { writable: true })).toBe(true);
    expect(map.get(key)).toBe('undefined');
  });

  test('an accessor, or a property without a value, is refused', () => {
    for (const descriptor of [{ get: () => 1 }, { set: () => undefined }, {}, { enumerable: true }]) {
      expect(Reflect.defineProperty(storage, 'a', descriptor)).toBe(false);
      expect(() => Object.defineProperty(storage, 'a', descriptor)).toThrow(TypeError);
    }
    expect(storage.length).toBe(0);
  });

  test('an item that could never be deleted is refused, and nothing stored', () => {
    expect(Reflect.defineProperty(storage, 'a', { value: 1, configurable: false })).toBe(false);
    expect(() => Object.freeze(storage)).toThrow(TypeError);
    expect(storage.length).toBe(0);
  });
});

describe('deleting properties', () => {
  test.each(unusual)('deletes the item %j', (key) => {
    map.set(key, 'v');
    expect(Reflect.deleteProperty(storage, key)).toBe(true);
    expect([map.length, Reflect.deleteProperty(storage, key)]).toEqual([0, true]);
  });

  test.each(hidden)('leaves alone the item %j, which the prototype hides', (key) => {
    map.set(key, 'v');
    expect(Reflect.deleteProperty(storage, key)).toBe(true);
    expect(map.get(key)).toBe('v');
  });
});

describe('symbols', () => {
  test('are properties of the object and never stored', () => {
    const symbol = Symbol('s');
    const value = { any: 'object' };
    expect(Reflect.set(storage, symbol, value)).toBe(true);
    expect([Reflect.get(storage, symbol), symbol in storage, Object.hasOwn(storage, symbol), storage.length]).toEqual([value, true, true, 0]);
    storage.clear();
    expect(Reflect.get(storage, symbol)).toBe(value);
    expect([Reflect.deleteProperty(storage, symbol), symbol in storage]).toEqual([true, false]);
    expect(Reflect.defineProperty(storage, symbol, { value, configurable: false })).toBe(true);
    expect([Reflect.deleteProperty(storage, symbol), Reflect.set(storage, symbol, 1)]).toEqual([false, false]);
  });
});

describe('the object itself', () => {
  test('stays extensible', () => {
    expect([Reflect.preventExtensions(storage), Object.isExtensible(storage)]).toEqual([false, true]);
    expect(() => Object.preventExtensions(storage)).toThrow(TypeError);
  });

  test('may get another prototype, which then hides other names', () => {
    Object.assign(storage, { getItem: 'item', mine: 'item' });
    Object.setPrototypeOf(storage, { mine: 'inherited' });
    expect([storage['getItem'], storage['mine'], Object.keys(storage), isStorage(storage)]).toEqual(['item', 'inherited', ['getItem'], true]);
    expect(Storage.prototype.getItem.call(storage, 'mine')).toBe('item');
    Object.setPrototypeOf(storage, null);
    expect(Object.keys(storage)).toEqual(['getItem', 'mine']);
  });
});
