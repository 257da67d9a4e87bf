/** https://webidl.spec.whatwg.org/#BufferSource, [AllowShared] included: a view of the bytes, not a copy. */
export function bufferSource(value: unknown, context: string): Uint8Array {
  if (ArrayBuffer.isView(value)) {
    return value instanceof Uint8Array
      ? value
      : new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  }
  if (value instanceof ArrayBuffer || isSharedArrayBuffer(value)) return new Uint8Array(value);
  throw new TypeError(`${context} is not an ArrayBuffer or a view of one.`);
}

function isSharedArrayBuffer(value: unknown): value is SharedArrayBuffer {
  return typeof SharedArrayBuffer === 'function' && value instanceof SharedArrayBuffer;
}
