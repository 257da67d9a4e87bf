import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { systemCode } from '../journal/disk-error.ts';
import { closeQuietly, openPlain, READ } from '../tree/open-plain.ts';
import type { Use } from '../tree/sealing.ts';

/** Bytes that are authenticated at once. */
const PIECE_BYTES = 2 ** 20;

const piece = new Uint8Array(PIECE_BYTES);

/** How an encrypted file is read. */
export interface SealedReader {
  open(descriptor: number, path: string, use: Use): { read(into: Uint8Array, position: number): number };
}

/**
 * Reads all of an encrypted file. Null: it is as it was written, or gone; else what is wrong with it, as a sentence.
 *
 * @throws the operating system's error, HoldfastError root-newer
 */
export function faultOfSealed(path: string, sealing: SealedReader, use: Use): string | null {
  try {
    const descriptor = openPlain(path, READ);
    try {
      const content = sealing.open(descriptor, path, use);
      for (let at = 0, count = -1; count !== 0; at += count) count = content.read(piece, at);
      return null;
    } finally {
      closeQuietly(descriptor);
    }
  } catch (error) {
    // What stands in the place of a file that is in a hub says so itself.
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'EELSEWHERE') return null;
    const isDamage = systemCode(error) === 'EDAMAGED' || (error instanceof HoldfastError && error.code === 'key-missing');
    if (!isDamage) throw error;
    return `It was changed, or is another file's: ${errorMessage(error)}`;
  }
}
