/*
 * What a value is, whatever realm it is from: test runners, jsdom and `node:vm` hand over objects whose classes are not
 * this realm's, and zone.js puts a class of its own in the place of `Promise`. So `instanceof` a built-in says nothing
 * (a lint rule forbids it in this project): what has internal slots is known by them (byte-brands.ts), the rest by what it
 * can do.
 */

/** False for what only inherits from such a class, whose getters throw. */
export function has(value: object, type: 'function' | 'string' | 'number' | 'boolean', ...names: readonly string[]): boolean {
  try {
    return names.every((name) => typeof Reflect.get(value, name) === type);
  } catch {
    return false;
  }
}

/** Type Object in the ECMAScript sense. */
export function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/** Also a Location: something whose `href` is an absolute URL. https://url.spec.whatwg.org/#url-class */
export function isUrl(value: unknown): value is { readonly href: string } {
  return isObject(value) && has(value, 'string', 'href', 'protocol');
}

/** https://dom.spec.whatwg.org/#interface-AbortSignal */
export function isAbortSignal(value: unknown): value is AbortSignal {
  return isObject(value) && has(value, 'boolean', 'aborted') && has(value, 'function', 'addEventListener', 'removeEventListener');
}

/** Whether a value is still to come: a promise of any kind. */
export function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return isObject(value) && has(value, 'function', 'then');
}
