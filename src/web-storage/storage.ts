import type { MapArea } from '../disk/map/map-area.ts';
import { DOMString, unsignedLong } from '../webidl/conversions.ts';
import { defineInterface, illegalConstructor, illegalInvocation, requireArguments } from '../webidl/interface.ts';
import { clearItems, countItems, keyAt, readItem, removeItem, writeItem } from './items.ts';
import { NamedProperties } from './named-properties.ts';
import { failedTo } from './storage-errors.ts';

/**
 * The map of each Storage object, and its brand: a forged prototype is not in here. (A private field stamped onto the
 * Proxy would say the same; engines read one from a Proxy by their slow path: 145 ns instead of 55 on Node 20.)
 */
const maps = new WeakMap<object, MapArea>();

function mapOf(storage: Storage): MapArea {
  const map = maps.get(storage);
  if (map === undefined) throw illegalInvocation('Storage');
  return map;
}

/**
 * An ordered list of pairs of strings, each also a property. Keys and values are exact UTF-16.
 *
 * As `localStorage` it is shared by all processes of a root: a read sees every write that returned before it began,
 * and no kill of a process loses a write that returned. Writes throw QuotaExceededError beyond the quota (in bytes of
 * UTF-16, keys and values together) and where the disk takes no data; all methods throw UnknownError when the disk
 * fails and InvalidStateError when the client was closed.
 *
 * https://html.spec.whatwg.org/#the-storage-interface
 */
export class Storage {
  /** Items, as properties; those that a method's name hides can be had by `getItem` only. */
  [name: string]: unknown;

  constructor() {
    illegalConstructor();
  }

  /** Number of items. */
  get length(): number {
    return countItems(mapOf(this));
  }

  /** The key at a position in the order of insertion, or null. */
  key(index: number): string | null {
    const map = mapOf(this);
    requireArguments(arguments.length, 1, 'Storage', 'key');
    return keyAt(map, unsignedLong(index, `${failedTo('key')}: parameter 1`));
  }

  /** The value of a key, or null. */
  getItem(key: string): string | null {
    const map = mapOf(this);
    requireArguments(arguments.length, 1, 'Storage', 'getItem');
    return readItem(map, typeof key === 'string' ? key : DOMString(key, `${failedTo('getItem')}: parameter 1`));
  }

  /**
   * Stores a value. Other clients get a `storage` event, unless it was there already.
   *
   * @throws QuotaExceededError with `quota` and `requested` in bytes; nothing has changed then.
   */
  setItem(key: string, value: string): void {
    const map = mapOf(this);
    requireArguments(arguments.length, 2, 'Storage', 'setItem');
    const name = DOMString(key, `${failedTo('setItem')}: parameter 1`);
    writeItem(map, name, DOMString(value, `${failedTo('setItem')}: parameter 2`));
  }

  /** Does nothing when there is no such key. */
  removeItem(key: string): void {
    const map = mapOf(this);
    requireArguments(arguments.length, 1, 'Storage', 'removeItem');
    removeItem(map, DOMString(key, `${failedTo('removeItem')}: parameter 1`));
  }

  /** Removes all items. */
  clear(): void {
    clearItems(mapOf(this));
  }
}

defineInterface(Storage, {
  name: 'Storage',
  attributes: ['length'],
  operations: { key: 1, getItem: 1, setItem: 2, removeItem: 1, clear: 0 },
});

/** A Storage object over a map. */
export function createStorage(map: MapArea): Storage {
  const storage = NamedProperties.createObject(Storage.prototype, map) as Storage;
  maps.set(storage, map);
  return storage;
}

/** Whether a value is a Storage object; a forged prototype does not make it one. */
export function isStorage(value: unknown): value is Storage {
  return typeof value === 'object' && value !== null && maps.has(value);
}
