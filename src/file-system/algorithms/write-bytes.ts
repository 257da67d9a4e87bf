import fs from 'node:fs';
import { isBlob } from '../../runtime/brands.ts';
import { bytesOf } from '../../webidl/buffers.ts';

/** Up to here a write by this thread costs less than handing it to another. */
const SMALL_BYTES = 64 * 1024;

/** Larger Blobs are read piece by piece. */
const SMALL_BLOB_BYTES = 1024 * 1024;

/** Copies of users' bytes are kept in these up to this size: a new buffer for each would be much garbage. */
const SCRATCH_BYTES = 1024 * 1024;
const MAX_SPARE = 4;
const spare: Uint8Array[] = [];

function writeInPool(descriptor: number, bytes: Uint8Array, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.write(descriptor, bytes, offset, bytes.byteLength - offset, position, (error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
}

/** Writes all bytes, going on after a short count until the disk takes no more and says why. */
function writeSmall(descriptor: number, bytes: Uint8Array, position: number): void {
  for (let written = 0; written < bytes.byteLength; ) {
    written += fs.writeSync(descriptor, bytes, written, bytes.byteLength - written, position + written);
  }
}

async function writeLarge(descriptor: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let written = 0; written < bytes.byteLength; ) {
    written += await writeInPool(descriptor, bytes, written, position + written);
  }
}

/** Writes bytes that nobody else can change. */
function writeOwned(descriptor: number, bytes: Uint8Array, position: number): Promise<void> | void {
  if (bytes.byteLength > SMALL_BYTES) return writeLarge(descriptor, bytes, position);
  return writeSmall(descriptor, bytes, position);
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
async function writeBuffer(descriptor: number, data: ArrayBuffer | ArrayBufferView, position: number): Promise<number> {
  const bytes = bytesOf(data);
  if (bytes.byteLength <= SMALL_BYTES) writeSmall(descriptor, bytes, position);
  else await withCopy(bytes, (copy) => writeLarge(descriptor, copy, position));
  return bytes.byteLength;
}

async function writeBlob(descriptor: number, blob: Blob, position: number): Promise<number> {
  if (blob.size <= SMALL_BLOB_BYTES) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    await writeOwned(descriptor, bytes, position);
    return bytes.byteLength;
  }
  let written = 0;
  for await (const chunk of blob.stream() as AsyncIterable<Uint8Array>) {
    const bytes = bytesOf(chunk);
    await writeOwned(descriptor, bytes, position + written);
    written += bytes.byteLength;
  }
  return written;
}

/** Writes all of `data` at `position` and gives the number of bytes. */
export async function writeData(
  descriptor: number,
  data: ArrayBuffer | ArrayBufferView | Blob | string,
  position: number,
): Promise<number> {
  if (isBlob(data)) return writeBlob(descriptor, data, position);
  if (typeof data !== 'string') return writeBuffer(descriptor, data, position);
  const bytes = Buffer.from(data, 'utf8');
  await writeOwned(descriptor, bytes, position);
  return bytes.byteLength;
}
