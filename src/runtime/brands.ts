import { ownProperty } from './define.ts';

/*
 * What a value is, whatever realm it is from: test runners, jsdom and `node:vm` hand over objects whose classes are not
 * this realm's, and zone.js puts a class of its own in the place of `Promise`. So `instanceof` a built-in says nothing
 * (a lint rule forbids it in this project): what has internal slots is known by them, the rest by what it can do.
 */

type Getter = (this: unknown) => unknown;

function getterOf(prototype: object, name: PropertyKey): Getter | undefined {
  return ownProperty(prototype, name)?.get;
}

/** Whether a getter that looks into an internal slot finds it; asked first is what costs less than an error. */
function hasSlot(value: unknown, name: string, getter: Getter | undefined): boolean {
  if (getter === undefined || typeof value !== 'object' || value === null || !(name in value)) return false;
  try {
    Reflect.apply(getter, value, []);
    return true;
  } catch {
    return false;
  }
}

const arrayBufferSlot = getterOf(ArrayBuffer.prototype, 'byteLength');
const sharedArrayBufferSlot = typeof SharedArrayBuffer === 'function' ? getterOf(SharedArrayBuffer.prototype, 'byteLength') : undefined;
/** The name of a typed array's kind; undefined for any other object. https://tc39.es/ecma262/#sec-get-%typedarray%.prototype-%symbol.tostringtag% */
const typedArrayKind = getterOf(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag);

/** A detached one too. https://tc39.es/ecma262/#sec-get-arraybuffer.prototype.bytelength */
export function isArrayBuffer(value: unknown): value is ArrayBuffer {
  return hasSlot(value, 'byteLength', arrayBufferSlot);
}

/** https://tc39.es/ecma262/#sec-get-sharedarraybuffer.prototype.bytelength */
export function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer {
  return hasSlot(value, 'byteLength', sharedArrayBufferSlot);
}

/** One of a subclass too, such as Buffer. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return typedArrayKind !== undefined && Reflect.apply(typedArrayKind, value, []) === 'Uint8Array';
}

/** False for what only inherits from such a class, whose getters throw. */
function has(value: object, type: 'function' | 'string' | 'number' | 'boolean', ...names: readonly string[]): boolean {
  try {
    return names.every((name) => typeof Reflect.get(value, name) === type);
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

/**
 * A Blob or File of any library that can be read as the standard says. Nothing is asked of other objects that a
 * dictionary's author could notice. https://w3c.github.io/FileAPI/#blob-section
 */
export function isBlob(value: unknown): value is Blob {
  return isObject(value) && has(value, 'function', 'slice', 'arrayBuffer') && has(value, 'number', 'size');
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
