import type { KeyPath } from '../../disk/records/record-database.ts';
import { beyond, readProperty } from '../../disk/values/read-value.ts';
import { isObject } from '../../runtime/brands.ts';
import { isBlob } from '../../runtime/byte-brands.ts';
import { define } from '../../runtime/define.ts';
import { DOMString, type Convert } from '../../webidl/conversions.ts';
import { domException } from '../../webidl/dom-exception.ts';

const identifiers = /^[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*(\.[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*)*$/u;

/** https://webidl.spec.whatwg.org/#js-union: (DOMString or sequence<DOMString>) */
export const stringOrStrings: Convert<string | readonly string[]> = (value, context) => {
  if (!isObject(value)) return DOMString(value, context);
  const method: unknown = Reflect.get(value, Symbol.iterator);
  if (method === undefined || method === null) return DOMString(value, context);
  return Array.from(value as Iterable<unknown>, (element) => DOMString(element, `${context}: an element`));
};

/** @throws SyntaxError. https://w3c.github.io/IndexedDB/#valid-key-path */
export function requireValidKeyPath(path: KeyPath): void {
  const paths = typeof path === 'string' ? [path] : path;
  if (paths.length > 0 && paths.every((each) => each === '' || identifiers.test(each))) return;
  throw domException('SyntaxError', `The key path '${String(path)}' is not valid.`);
}

/**
 * What a path leads to in a clone of a value; undefined where it leads nowhere.
 * https://w3c.github.io/IndexedDB/#evaluate-a-key-path-on-a-value
 */
export function evaluateKeyPath(value: unknown, path: KeyPath): unknown {
  if (typeof path === 'string') return evaluateOne(value, path);
  const results: unknown[] = [];
  for (const each of path) {
    const result = evaluateOne(value, each);
    if (result === undefined) return undefined;
    results.push(result);
  }
  return results;
}

/** The same in a value that is written as bytes. Most paths are one name, and need no `clone` of all of it. */
export function evaluateInBytes(bytes: Uint8Array, path: KeyPath, clone: () => unknown): unknown {
  if (typeof path === 'string' && path !== '' && !path.includes('.')) {
    const found = readProperty(bytes, path);
    if (found !== beyond) return found;
  }
  return evaluateKeyPath(clone(), path);
}

function evaluateOne(value: unknown, path: string): unknown {
  if (path === '') return value;
  if (!path.includes('.')) return step(value, path);
  let place = value;
  for (const identifier of path.split('.')) {
    place = step(place, identifier);
    if (place === undefined) return undefined;
  }
  return place;
}

function step(value: unknown, identifier: string): unknown {
  if (typeof value === 'string') return identifier === 'length' ? value.length : undefined;
  if (!isObject(value)) return undefined;
  if (Object.hasOwn(value, identifier)) return Reflect.get(value, identifier);
  return ofBlob.has(identifier) && isBlob(value) ? attributeOfBlob(value, identifier) : undefined;
}

const ofBlob: ReadonlySet<string> = new Set(['size', 'type', 'name', 'lastModified']);

/** A Blob has no name: then it is undefined. */
function attributeOfBlob(blob: Blob, name: string): unknown {
  return Reflect.get(blob, name);
}

/** https://w3c.github.io/IndexedDB/#check-that-a-key-could-be-injected-into-a-value */
export function canInjectKey(value: unknown, path: string): boolean {
  const identifiersOfPath = path.split('.');
  const last = identifiersOfPath.length - 1;
  let place = value;
  for (const identifier of identifiersOfPath.slice(0, last)) {
    if (!isObject(place)) return false;
    if (!Object.hasOwn(place, identifier)) return true;
    place = Reflect.get(place, identifier);
  }
  return isObject(place);
}

/** Puts a key into a clone of a value. https://w3c.github.io/IndexedDB/#inject-a-key-into-a-value-using-a-key-path */
export function injectKey(value: unknown, path: string, key: unknown): void {
  const identifiersOfPath = path.split('.');
  const last = identifiersOfPath.pop() ?? '';
  let place = value as object;
  for (const identifier of identifiersOfPath) {
    if (!Object.hasOwn(place, identifier)) put(place, identifier, {});
    place = Reflect.get(place, identifier) as object;
  }
  put(place, last, key);
}

function put(object: object, name: string, value: unknown): void {
  define(object, name, { value, writable: true, enumerable: true, configurable: true });
}
