import { nextTurn } from '../../runtime/timers.ts';
import type { Content } from './content.ts';
import type { Swap } from './swap.ts';

/** What is copied in one turn of the event loop. */
const PIECE_BYTES = 2 ** 20;

/** Copies a content into a swap file that is to be finished; what has only zeros becomes a hole. Fails whole. */
export async function copyContent(from: Content, swap: Swap): Promise<void> {
  try {
    await copyPieces(from, swap);
  } catch (error) {
    swap.discard();
    throw error;
  }
}

/** All of a content, in turns of the event loop; less where it ends meanwhile. Each piece is valid until the next. */
export async function* piecesOf(from: Content): AsyncGenerator<readonly [bytes: Uint8Array, position: number], void> {
  const size = from.size();
  const piece = Buffer.alloc(Math.min(size, PIECE_BYTES));
  for (let position = 0; position < size; ) {
    const count = from.read(piece, position);
    if (count === 0) return;
    yield [piece.subarray(0, count), position];
    position += count;
    await nextTurn();
  }
}

async function copyPieces(from: Content, swap: Swap): Promise<void> {
  const size = from.size();
  for await (const [bytes, position] of piecesOf(from)) if (bytes.some((byte) => byte !== 0)) writeAll(swap, bytes, position);
  swap.extent.cover(swap.content.stored(size));
  swap.content.truncate(size);
}

function writeAll({ content, extent }: Swap, bytes: Uint8Array, position: number): void {
  extent.cover(content.stored(position + bytes.byteLength));
  for (let written = 0; written < bytes.byteLength; ) written += content.write(bytes.subarray(written), position + written);
}
