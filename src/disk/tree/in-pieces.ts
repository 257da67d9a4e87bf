import type { SealedBytes } from '../../runtime/disk-range.ts';
import type { Content } from './content.ts';
import type { Sealing, Use } from './sealing.ts';

/** Up to here decrypting takes no longer than a turn of the event loop. */
const SMALL_BYTES = 64 * 1024;

/** What is decrypted in one turn. */
const PIECE_BYTES = 2 ** 20;

/** What a `File` has to know of an encrypted file that is `size` bytes long. */
export function sealedBytes(sealing: Sealing, path: string, use: Use, size: number): SealedBytes {
  return { size, reader: (file) => inPieces(sealing.open(file, path, use)) };
}

/** How a `File` reads: what takes long, a turn of the event loop for each piece. */
export function inPieces(content: Content): ReturnType<SealedBytes['reader']> {
  return (into, position) => (into.byteLength <= SMALL_BYTES ? content.read(into, position) : content.readLater(into.subarray(0, PIECE_BYTES), position));
}
