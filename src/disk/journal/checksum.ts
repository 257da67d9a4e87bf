import { getInt32 } from './bytes.ts';

/**
 * CRC-32 as in ISO 3309, zlib and PNG (polynomial 0xEDB88320, reflected), eight bytes a step.
 *
 * Written here because zlib's own is missing on some supported runtimes, and because a call into native code costs
 * more than the checksum of a record of the usual size.
 */
const table = buildTable();

function buildTable(): Int32Array {
  const built = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
    built[byte] = value;
  }
  for (let index = 256; index < built.length; index++) {
    const previous = built[index - 256] ?? 0;
    built[index] = (previous >>> 8) ^ (built[previous & 0xff] ?? 0);
  }
  return built;
}

/** The checksum of `bytes[from, to)`; `before` is the checksum of the bytes in front, so that pieces can be chained. */
export function crc32(bytes: Uint8Array, from: number, to: number, before = 0): number {
  let crc = ~before;
  let at = from;
  for (const last = to - 8; at <= last; at += 8) {
    crc = wordStep(crc ^ getInt32(bytes, at), 4 * 256) ^ wordStep(getInt32(bytes, at + 4), 0);
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ (table[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/** Looks up the four bytes of a word, in the tables from `first` on. */
function wordStep(word: number, first: number): number {
  return (
    (table[first + 768 + (word & 0xff)] ?? 0) ^
    (table[first + 512 + ((word >>> 8) & 0xff)] ?? 0) ^
    (table[first + 256 + ((word >>> 16) & 0xff)] ?? 0) ^
    (table[first + (word >>> 24)] ?? 0)
  );
}
