import type { MapArea } from '../disk/map/map-area.ts';
import { bare, ownProperty } from '../runtime/define.ts';
import { DOMString } from '../webidl/conversions.ts';
import { allKeys, readItem, removeItem, writeItem } from './items.ts';

/**
 * The named properties of a Storage object: https://webidl.spec.whatwg.org/#js-legacy-platform-objects, for an
 * interface with a named getter, setter and deleter and without [LegacyOverrideBuiltIns]. It keeps these invariants:
 *
 * - The target has the object's prototype, and as own properties its symbols only; so `key in target` tells whether
 *   the prototype chain hides an item.
 * - Items are never properties of the target.
 */
export class NamedProperties implements ProxyHandler<object> {
  readonly #map: MapArea;
  /** The object itself, which alone receives items. */
  #self: object | null = null;

  constructor(map: MapArea) {
    this.#map = map;
  }

  /** Makes the object. */
  static createObject(prototype: object, map: MapArea): object {
    const handler = new NamedProperties(map);
    const self = new Proxy(Object.create(prototype) as object, handler);
    handler.#self = self;
    return self;
  }

  /** https://webidl.spec.whatwg.org/#dfn-named-property-visibility; null where no item can be seen. */
  #visibleItem(target: object, key: PropertyKey): string | null {
    return typeof key === 'symbol' || key in target ? null : readItem(this.#map, String(key));
  }

  /** https://tc39.es/ecma262/#sec-ordinaryget; the chain is asked first, because it hides items. */
  get(target: object, key: PropertyKey, receiver: unknown): unknown {
    const inherited: unknown = Reflect.get(target, key, receiver);
    return inherited === undefined ? (this.#visibleItem(target, key) ?? undefined) : inherited;
  }

  has(target: object, key: PropertyKey): boolean {
    return key in target || this.#visibleItem(target, key) !== null;
  }

  /** https://webidl.spec.whatwg.org/#legacy-platform-object-getownproperty */
  getOwnPropertyDescriptor(target: object, key: PropertyKey): PropertyDescriptor | undefined {
    const value = this.#visibleItem(target, key);
    if (value !== null) return bare({ value, writable: true, enumerable: true, configurable: true });
    return ownProperty(target, key);
  }

  /** https://webidl.spec.whatwg.org/#legacy-platform-object-set: even a name that the chain hides is stored. */
  set(target: object, key: PropertyKey, value: unknown, receiver: unknown): boolean {
    if (typeof key === 'symbol' || receiver !== this.#self) return Reflect.set(target, key, value, receiver);
    this.#write(String(key), value);
    return true;
  }

  /**
   * https://webidl.spec.whatwg.org/#legacy-platform-object-defineownproperty. Deviation: `configurable: false` is
   * refused, where the standard would store an item that can be deleted; no Proxy may do that.
   */
  defineProperty(target: object, key: PropertyKey, attributes: PropertyDescriptor): boolean {
    const descriptor = bare(attributes);
    // eslint-disable-next-line no-restricted-properties -- unlike define() it says whether the target lets it
    if (typeof key === 'symbol') return Reflect.defineProperty(target, key, descriptor);
    const isData = 'value' in descriptor || 'writable' in descriptor;
    if (!isData || descriptor.configurable === false) return false;
    this.#write(String(key), descriptor.value);
    return true;
  }

  #write(key: string, value: unknown): void {
    writeItem(this.#map, key, DOMString(value, "Failed to set a named property on 'Storage': the value"));
  }

  /** https://webidl.spec.whatwg.org/#legacy-platform-object-delete: a name that the chain hides stays. */
  deleteProperty(target: object, key: PropertyKey): boolean {
    if (typeof key === 'symbol' || key in target) return Reflect.deleteProperty(target, key);
    removeItem(this.#map, String(key));
    return true;
  }

  /** https://webidl.spec.whatwg.org/#legacy-platform-object-ownpropertykeys */
  ownKeys(target: object): (string | symbol)[] {
    const visible = allKeys(this.#map).filter((key) => !(key in target));
    return [...visible, ...Reflect.ownKeys(target)];
  }

  /** https://webidl.spec.whatwg.org/#legacy-platform-object-preventextensions */
  preventExtensions(): boolean {
    return false;
  }
}
