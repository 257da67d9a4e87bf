import { types } from 'node:util';
import { ownProperty } from '../../runtime/define.ts';

/** How structured serialization treats an object; `opaque` ones are left to the runtime, whole. */
export type Shape = 'opaque' | 'array' | 'map' | 'set' | 'ordinary';

/**
 * A class with a tag of its own choice is cloned like any ordinary object; only the platform's own are not. Read by
 * descriptor, since some globals are getters that warn.
 */
function isOfGlobalClass(value: object, tag: string): boolean {
  const constructor: unknown = ownProperty(globalThis, tag)?.value;
  return typeof constructor === 'function' && Object.prototype.isPrototypeOf.call(constructor.prototype, value);
}

/** Of whatever realm: by what is inside. */
function isBuiltIn(value: object): boolean {
  return types.isNativeError(value) || types.isDate(value) || types.isRegExp(value) || types.isBoxedPrimitive(value) || types.isAnyArrayBuffer(value) || types.isModuleNamespaceObject(value);
}

/**
 * https://html.spec.whatwg.org/#structuredserializeinternal
 *
 * Errors are opaque, and with them a handle in an error's `cause`.
 */
export function shapeOf(value: object): Shape {
  // The runtime refuses proxies; looking at one would run its traps.
  if (types.isProxy(value)) return 'opaque';
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return 'ordinary';
  if (Array.isArray(value)) return 'array';
  if (types.isMap(value)) return 'map';
  if (types.isSet(value)) return 'set';
  if (ArrayBuffer.isView(value) || isBuiltIn(value)) return 'opaque';
  if (prototype === null) return 'ordinary';
  const tag = Object.prototype.toString.call(value).slice('[object '.length, -1);
  return tag !== 'Object' && isOfGlobalClass(value, tag) ? 'opaque' : 'ordinary';
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

/** The elements of an array that are objects. Arrays with holes are read by key: a sparse one may be billions long. */
export function objectsIn(array: readonly unknown[]): object[] {
  const found: object[] = [];
  for (let index = 0; index < array.length; index += 1) {
    const element = array[index];
    if (isObject(element)) found.push(element);
    else if (element === undefined && !(index in array)) return Object.values(array).filter(isObject);
  }
  return found;
}
