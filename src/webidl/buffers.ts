import { isArrayBuffer, isSharedArrayBuffer, isUint8Array } from '../runtime/byte-brands.ts';

/** https://webidl.spec.whatwg.org/#BufferSource, with [AllowShared]. */
export type AllowSharedBufferSource = ArrayBuffer | SharedArrayBuffer | ArrayBufferView;

/** Whether a value is a buffer, or a view of one, that is not shared. */
export function isBufferSource(value: unknown): value is ArrayBuffer | ArrayBufferView {
  return isArrayBuffer(value) || (ArrayBuffer.isView(value) && isArrayBuffer(value.buffer));
}

/**
 * https://webidl.spec.whatwg.org/#js-buffer-source-types, with [AllowShared] and without [AllowResizable]. A detached
 * buffer is one; whether it is can change until its bytes are asked for.
 */
export function allowSharedBufferSource(value: unknown, context: string): AllowSharedBufferSource {
  if (!ArrayBuffer.isView(value) && !isArrayBuffer(value) && !isSharedArrayBuffer(value)) {
    throw new TypeError(`${context} is not an ArrayBuffer or a view of one.`);
  }
  requireFixedLength(value, context);
  return value;
}

/** @throws TypeError for what is without [AllowResizable] no BufferSource */
export function requireFixedLength(source: AllowSharedBufferSource, context: string): void {
  const buffer = (ArrayBuffer.isView(source) ? source.buffer : source) as { readonly resizable?: boolean; readonly growable?: boolean };
  if (buffer.resizable !== true && buffer.growable !== true) return;
  throw new TypeError(`${context} is a buffer whose length can change, or a view of one, which is not allowed here.`);
}

const nothing = new Uint8Array(0);

/**
 * The bytes of a buffer, not a copy; none when it is detached, also of a DataView, which otherwise throws then.
 * https://webidl.spec.whatwg.org/#dfn-get-buffer-source-copy
 */
export function bytesOf(source: AllowSharedBufferSource): Uint8Array {
  if (isUint8Array(source)) return source;
  const isView = ArrayBuffer.isView(source);
  const buffer = isView ? source.buffer : source;
  if (buffer.byteLength === 0) return nothing;
  return isView ? new Uint8Array(buffer, source.byteOffset, source.byteLength) : new Uint8Array(buffer);
}
