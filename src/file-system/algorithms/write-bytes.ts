import type { Content as FileContent } from '../../disk/tree/content.ts';
import { bytesOfBlob } from '../../runtime/blob-bytes.ts';
import { isBlob } from '../../runtime/byte-brands.ts';
import { bytesOf } from '../../webidl/buffers.ts';

/** Up to here a write by this thread costs less than handing it to another. */
const SMALL_BYTES = 64 * 1024;

/** Larger Blobs are read piece by piece. */
const SMALL_BLOB_BYTES = 1024 * 1024;

/** Copies of users' bytes are kept in these up to this size: a new buffer for each would be much garbage. */
const SCRATCH_BYTES = 1024 * 1024;
const MAX_SPARE = 4;
const spare: Uint8Array[] = [];

/** Writes all bytes, going on after a short count until the disk takes no more and says why. */
function writeSmall(file: FileContent, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.byteLength; ) {
    written += file.write(bytes.subarray(written), position + written);
  }
}

async function writeLarge(file: FileContent, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength; ) {
    written += await file.writeLater(bytes.subarray(written), position + written);
  }
}

/** Writes bytes that nobody else can change. */
function writeOwned(file: FileContent, bytes: Uint8Array, position: number): Promise<void> | void {
  if (bytes.byteLength > SMALL_BYTES) return writeLarge(file, bytes, position);
  return writeSmall(file, bytes, position);
}

/** Hands a copy of the bytes to `use`, in a buffer that is used again afterwards. */
async function withCopy(bytes: Uint8Array, use: (copy: Uint8Array) => Promise<void>): Promise<void> {
  if (bytes.byteLength > SCRATCH_BYTES) return use(bytes.slice());
  const scratch = spare.pop() ?? new Uint8Array(SCRATCH_BYTES);
  scratch.set(bytes);
  try {
    await use(scratch.subarray(0, bytes.byteLength));
  } finally {
    if (spare.length < MAX_SPARE) spare.push(scratch);
  }
}

/**
 * Writes a user's bytes as they are now. What another thread writes is copied first, because the user may change or
 * detach the buffer meanwhile.
 */
async function writeBuffer(file: FileContent, data: ArrayBuffer | ArrayBufferView, position: number): Promise<number> {
  const bytes = bytesOf(data);
  if (bytes.byteLength <= SMALL_BYTES) writeSmall(file, bytes, position);
  else await withCopy(bytes, (copy) => writeLarge(file, copy, position));
  return bytes.byteLength;
}

async function writeBlob(file: FileContent, blob: Blob, position: number): Promise<number> {
  if (blob.size <= SMALL_BLOB_BYTES) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    await writeOwned(file, bytes, position);
    return bytes.byteLength;
  }
  let written = 0;
  for await (const chunk of bytesOfBlob(blob)) {
    const bytes = bytesOf(chunk);
    await writeOwned(file, bytes, position + written);
    written += bytes.byteLength;
  }
  return written;
}

/** What is to be written: a user's bytes, which may change until they are, or text in bytes that are ours. */
export type Content = ArrayBuffer | ArrayBufferView | Blob | EncodedText;

/** Text as UTF-8, which nobody else can change. */
interface EncodedText {
  readonly utf8: Uint8Array;
}

export function contentOf(data: ArrayBuffer | ArrayBufferView | Blob | string): Content {
  return typeof data === 'string' ? { utf8: Buffer.from(data, 'utf8') } : data;
}

/** Bytes. */
export function sizeOf(content: Content): number {
  if (isBlob(content)) return content.size;
  return 'utf8' in content ? content.utf8.byteLength : bytesOf(content).byteLength;
}

/** Writes all of it at `position` and gives the number of bytes. */
export async function writeContent(file: FileContent, content: Content, position: number): Promise<number> {
  if (isBlob(content)) return writeBlob(file, content, position);
  if (!('utf8' in content)) return writeBuffer(file, content, position);
  await writeOwned(file, content.utf8, position);
  return content.utf8.byteLength;
}
