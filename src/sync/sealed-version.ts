import { crc32 } from '../disk/journal/checksum.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';

/** An entry, snapshot or blob that begins with this byte, or a higher one, is encrypted. */
export const FIRST_SEALED_VERSION = 0x81;

const CHECK_BYTES = 4;

/** Whether the last four bytes are the CRC-32 of those before: then what it begins with is no accident. */
export function isChecked(bytes: Uint8Array): boolean {
  const end = bytes.length - CHECK_BYTES;
  return end > 0 && new DataView(bytes.buffer, bytes.byteOffset, bytes.length).getUint32(end, true) === crc32(bytes, 0, end);
}

/** Whether something is encrypted, whoever did it. */
export function isSealed(bytes: Uint8Array): boolean {
  return (bytes[0] ?? 0) >= FIRST_SEALED_VERSION && isChecked(bytes);
}

/** For regions without a key. @throws HoldfastError key-missing for what is encrypted */
export function requirePlain(bytes: Uint8Array): void {
  if (isSealed(bytes)) throw new HoldfastError('key-missing', 'What the hub has in this log is encrypted, and this region has no key. Nothing was applied or sent.');
}
