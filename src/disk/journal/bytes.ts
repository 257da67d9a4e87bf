/** Little-endian integers in byte arrays. Reading beyond the end gives zeros: callers check lengths first. */

/** Four bytes as the signed integer that bitwise operators work on. */
export function getInt32(bytes: Uint8Array, at: number): number {
  return (bytes[at] ?? 0) | ((bytes[at + 1] ?? 0) << 8) | ((bytes[at + 2] ?? 0) << 16) | ((bytes[at + 3] ?? 0) << 24);
}

export function getUint32(bytes: Uint8Array, at: number): number {
  return getInt32(bytes, at) >>> 0;
}

export function putUint32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

const two32 = 0x1_0000_0000;

/** An integer below 2^53 in eight bytes. */
export function getUint53(bytes: Uint8Array, at: number): number {
  return getUint32(bytes, at) + getUint32(bytes, at + 4) * two32;
}

export function putUint53(bytes: Uint8Array, at: number, value: number): void {
  putUint32(bytes, at, value >>> 0);
  putUint32(bytes, at + 4, Math.floor(value / two32));
}
