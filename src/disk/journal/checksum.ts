import { getInt32 } from './bytes.ts';

/**
 * CRC-32 as in ISO 3309, zlib and PNG (polynomial 0xEDB88320, reflected), eight bytes a step.
 *
 * Written here because zlib's own is missing on some supported runtimes, and because a call into native code costs
 * more than the checksum of a record of the usual size.
 */
const byByte = buildFirstTable();

/** Eight tables, of which the first is that of single bytes. A start that reads little does without them. */
let byWord: Int32Array | undefined;

/** Bytes from which on the tables of words are worth their making. */
const WORDS_FROM = 256;

/** From each power of two the entries up to the next follow by one XOR, since the checksum is linear. */
function buildFirstTable(): Int32Array {
  const built = new Int32Array(256);
  for (let bit = 128, crc = 1; bit > 0; bit >>= 1) {
    crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
    for (let index = 0; index < 256; index += 2 * bit) built[index + bit] = (built[index] ?? 0) ^ crc;
  }
  return built;
}

function buildWordTables(): Int32Array {
  const built = new Int32Array(8 * 256);
  built.set(byByte);
  for (let index = 256; index < built.length; index++) {
    const previous = built[index - 256] ?? 0;
    built[index] = (previous >>> 8) ^ (byByte[previous & 0xff] ?? 0);
  }
  return built;
}

/** The checksum of `bytes[from, to)`; `before` is the checksum of the bytes in front, so that pieces can be chained. */
export function crc32(bytes: Uint8Array, from: number, to: number, before = 0): number {
  let crc = ~before;
  let at = from;
  if (to - from >= WORDS_FROM) byWord ??= buildWordTables();
  if (byWord !== undefined) {
    for (const last = to - 8; at <= last; at += 8) {
      crc = wordStep(byWord, crc ^ getInt32(bytes, at), 4 * 256) ^ wordStep(byWord, getInt32(bytes, at + 4), 0);
    }
  }
  for (; at < to; at++) crc = (crc >>> 8) ^ (byByte[(crc ^ (bytes[at] ?? 0)) & 0xff] ?? 0);
  return ~crc >>> 0;
}

/** Looks up the four bytes of a word, in the tables from `first` on. */
function wordStep(table: Int32Array, word: number, first: number): number {
  return (
    (table[first + 768 + (word & 0xff)] ?? 0) ^
    (table[first + 512 + ((word >>> 8) & 0xff)] ?? 0) ^
    (table[first + 256 + ((word >>> 16) & 0xff)] ?? 0) ^
    (table[first + (word >>> 24)] ?? 0)
  );
}
