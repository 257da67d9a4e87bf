import { has } from './brands.ts';

/** What is read at once of a Blob that gives no stream. */
const PIECE_BYTES = 1024 * 1024;

/**
 * What a Blob of whatever library holds: those of jsdom have no `stream()`.
 * https://w3c.github.io/FileAPI/#stream-method-algo
 */
export function bytesOfBlob(blob: Blob): AsyncIterable<Uint8Array> {
  return has(blob, 'function', 'stream') ? (blob.stream() as unknown as AsyncIterable<Uint8Array>) : piecesOf(blob);
}

async function* piecesOf(blob: Blob): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < blob.size; from += PIECE_BYTES) {
    yield new Uint8Array(await blob.slice(from, from + PIECE_BYTES).arrayBuffer());
  }
}
