// What holds bytes, of whatever realm. Apart from brands.ts, as only files need it.
import { has, isObject } from './brands.ts';
import { ownProperty } from './define.ts';

type Getter = (this: unknown) => unknown;

function getterOf(prototype: object, name: PropertyKey): Getter | undefined {
  return ownProperty(prototype, name)?.get;
}

/** Whether a getter of a buffer's length finds its internal slot; asked first is what costs less than an error. */
function hasLength(value: unknown, getter: Getter | undefined): boolean {
  if (getter === undefined || typeof value !== 'object' || value === null) return false;
  if (ArrayBuffer.isView(value) || !('byteLength' in value)) return false;
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
  return hasLength(value, arrayBufferSlot);
}

/** https://tc39.es/ecma262/#sec-get-sharedarraybuffer.prototype.bytelength */
export function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer {
  return hasLength(value, sharedArrayBufferSlot);
}

/** One of a subclass too, such as Buffer. */
export function isUint8Array(value: unknown): value is Uint8Array {
  return typedArrayKind !== undefined && Reflect.apply(typedArrayKind, value, []) === 'Uint8Array';
}

/**
 * A Blob or File of any library. Nothing is asked of other objects that a dictionary's author could notice.
 * https://w3c.github.io/FileAPI/#blob-section
 */
export function isBlob(value: unknown): value is Blob {
  if (!isObject(value) || !has(value, 'function', 'slice') || ArrayBuffer.isView(value) || isArrayBuffer(value)) return false;
  return has(value, 'number', 'size') && (isReadableBlob(value) || ['Blob', 'File'].includes(String(Reflect.get(value, Symbol.toStringTag))));
}

/** Those of older jsdom are not, but by its own classes. https://w3c.github.io/FileAPI/#arraybuffer-method-algo */
export function isReadableBlob(value: object): value is Blob {
  return has(value, 'function', 'arrayBuffer');
}
