import { isArrayBuffer, isSharedArrayBuffer, isUint8Array } from '../runtime/brands.ts';

/** https://webidl.spec.whatwg.org/#BufferSource, [AllowShared] included: a view of the bytes, not a copy. */
export function bufferSource(value: unknown, context: string): Uint8Array {
  if (isUint8Array(value)) return value;
  // Deno takes no DataView of another realm.
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  if (isArrayBuffer(value) || isSharedArrayBuffer(value)) return new Uint8Array(value);
  throw new TypeError(`${context} is not an ArrayBuffer or a view of one.`);
}
