import type { Line } from '../replicator/line.ts';
import { blobDigest } from '../replicator/digest.ts';
import type { Blobs } from './blobs.ts';

/** How long the hub may take for one chunk. */
const CHUNK_ANSWER_MS = 60_000;
const ANSWER_MS = 10_000;

/** Blobs that answer in bounded time, whatever the hub does, and not any more once the line is cut. */
export class BlobsOnLine implements Blobs {
  line: Line;
  readonly #blobs: Blobs;

  constructor(blobs: Blobs, line: Line) {
    this.#blobs = blobs;
    this.line = line;
  }

  putBlob(name: string, bytes: Uint8Array): Promise<void> {
    return this.line.ask('to keep a chunk of a file', CHUNK_ANSWER_MS, () => this.#blobs.putBlob(name, bytes));
  }

  getBlob(name: string): Promise<Uint8Array | null> {
    return this.line.ask('for a chunk of a file', CHUNK_ANSWER_MS, () => this.#blobs.getBlob(name));
  }

  blobDigest(bytes: Uint8Array): Uint8Array {
    return blobDigest(this.#blobs, bytes);
  }

  hasBlobs(names: readonly string[]): Promise<ReadonlySet<string>> {
    return this.line.ask('which chunks it has', ANSWER_MS, () => this.#blobs.hasBlobs(names));
  }
}
