import { Buffer } from 'node:buffer';

/** Up to so many bytes hexadecimal text is the cheaper way out of a library that makes an ArrayBuffer for each value. */
export const HEXADECIMAL_BYTES = 256;

const room = Buffer.allocUnsafeSlow(HEXADECIMAL_BYTES);
/** The beginning of the room, in each length. */
const beginnings: Buffer[] = Array.from({ length: HEXADECIMAL_BYTES + 1 }, (_, length) => room.subarray(0, length));
const nothing = Buffer.alloc(0);

/** The bytes of such a text, which are there until the next is read; whatever else was read is given as it is. */
export function fromHexadecimal(column: Uint8Array | string | null): Uint8Array | null {
  return typeof column === 'string' ? (beginnings[room.write(column, 'hex')] ?? nothing) : column;
}
