import type { ReadFile } from '../../disk/tree/contents.ts';
import type { Swap } from '../../disk/tree/swap.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HubLog } from '../hub.ts';
import { blobDigest } from '../replicator/digest.ts';
import { inParallel } from './in-parallel.ts';
import { CHUNK_BYTES, chunksOf, hex } from './manifest.ts';
import type { Chunk, Manifest } from './manifest.ts';

/** Where the content of files is, beside the order of their changes. */
export type Blobs = Pick<HubLog, 'putBlob' | 'getBlob' | 'hasBlobs'>;

/** Chunks of one file in memory at a time. */
const AT_ONCE = 4;

/** A chunk up to here is read in this thread, and sent without asking first: the question would take as long. */
const SMALL_BYTES = 64 * 1024;

/** What a file contains, without its time. */
export type Content = Pick<Manifest, 'size' | 'chunks'>;

type Digest = (bytes: Uint8Array) => Uint8Array;

interface Piece {
  readonly name: string;
  readonly digest: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * Reads a file from its start to its end, in bounded memory; `each` is given some pieces at a time. One that grows
 * meanwhile may be read in part: its caller compares the size.
 */
async function readContent(file: ReadFile, digestOf: Digest, each: (pieces: readonly Piece[]) => Promise<void>): Promise<Content> {
  const expected = file.content.size();
  const digests: Uint8Array[] = [];
  let size = 0;
  for (let isAtEnd = false; !isAtEnd; ) {
    const pieces: Piece[] = [];
    while (pieces.length < AT_ONCE && !isAtEnd) {
      const bytes = await readChunk(file, size, expected);
      isAtEnd = bytes.length < CHUNK_BYTES;
      size += bytes.length;
      if (bytes.length === 0) continue;
      const digest = digestOf(bytes);
      pieces.push({ name: hex(digest), digest, bytes });
    }
    digests.push(...pieces.map(({ digest }) => digest));
    if (pieces.length > 0) await each(pieces);
  }
  return { size, chunks: Buffer.concat(digests) };
}

/** The content of a file, which nobody is told. `proceed` is asked now and then, and ends it by throwing. */
export function digestContent(file: ReadFile, blobs: Blobs, proceed = (): void => undefined): Promise<Content> {
  return readContent(file, (bytes) => blobDigest(blobs, bytes), async () => proceed());
}

/**
 * The content of a file, of which the hub has every chunk when this resolves.
 *
 * @param digestOf - what names a chunk, if not the log as it is now
 * @throws HoldfastError as hubs do
 */
export function uploadContent(file: ReadFile, blobs: Blobs, proceed = (): void => undefined, digestOf: Digest = (bytes) => blobDigest(blobs, bytes)): Promise<Content> {
  return readContent(file, digestOf, async (pieces) => {
    proceed();
    const large = pieces.filter(({ bytes }) => bytes.length > SMALL_BYTES).map(({ name }) => name);
    const there = large.length === 0 ? new Set<string>() : await blobs.hasBlobs(large);
    const missing = new Map(pieces.filter(({ name }) => !there.has(name)).map((piece) => [piece.name, piece.bytes]));
    await Promise.all(Array.from(missing, ([name, bytes]) => blobs.putBlob(name, bytes)));
  });
}

/** As much of a chunk as the file has. */
async function readChunk(file: ReadFile, position: number, expected: number): Promise<Uint8Array> {
  const bytes = Buffer.allocUnsafeSlow(Math.min(CHUNK_BYTES, Math.max(0, expected - position)));
  let filled = 0;
  for (let count = -1; count !== 0 && filled < bytes.length; filled += count) {
    count = await readSome(file, bytes.subarray(filled), position + filled);
  }
  return bytes.subarray(0, filled);
}

/** In this thread where that costs less than handing it to another. */
function readSome({ content }: ReadFile, bytes: Uint8Array, position: number): number | Promise<number> {
  return bytes.length <= SMALL_BYTES ? content.read(bytes, position) : content.readLater(bytes, position);
}

/**
 * Writes a content into an empty file, each chunk compared with its digest before.
 *
 * @throws HoldfastError hub-damaged when a chunk is missing or another; as hubs do
 */
export async function downloadContent(manifest: Manifest, blobs: Blobs, { content }: Pick<Swap, 'content'>): Promise<void> {
  if (content.wantsOrder) return downloadInOrder(manifest, blobs, content);
  await inParallel(chunksOf(manifest), AT_ONCE, async (chunk) => {
    await writeAll(content, await getChunk(chunk, blobs), chunk.position);
  });
}

/** What is encrypted is written from its beginning to its end, or has to be written twice. */
async function downloadInOrder(manifest: Manifest, blobs: Blobs, content: Swap['content']): Promise<void> {
  const chunks = chunksOf(manifest);
  for (let at = 0; at < chunks.length; at += AT_ONCE) {
    const some = chunks.slice(at, at + AT_ONCE);
    const pieces = await Promise.all(some.map((chunk) => getChunk(chunk, blobs)));
    for (const [index, bytes] of pieces.entries()) await writeAll(content, bytes, some[index]?.position ?? 0);
  }
}

/** @throws HoldfastError hub-damaged, and as hubs do */
export async function getChunk({ name, length }: Chunk, blobs: Blobs): Promise<Uint8Array> {
  const bytes = await blobs.getBlob(name);
  if (bytes === null) throw damagedChunk(name, 'the hub does not have it');
  if (bytes.length !== length) throw damagedChunk(name, `it has ${bytes.length} bytes instead of ${length}`);
  if (hex(blobDigest(blobs, bytes)) !== name) throw damagedChunk(name, 'its bytes are others');
  return bytes;
}

function damagedChunk(name: string, why: string): HoldfastError {
  return new HoldfastError('hub-damaged', `The chunk ${name} of a file cannot be had: ${why}.`);
}

async function writeAll(content: Swap['content'], bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += await content.writeLater(bytes.subarray(written), position + written);
  }
}
