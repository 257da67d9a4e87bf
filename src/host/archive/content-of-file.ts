import fs from 'node:fs';
import { closeQuietly, openPlain, READ } from '../../disk/tree/open-plain.ts';
import { inPieces } from '../../disk/tree/in-pieces.ts';
import type { Sealing } from '../../disk/tree/sealing.ts';
import type { SealedBytes } from '../../runtime/disk-range.ts';
import { withDescriptors } from '../../runtime/descriptors.ts';

/** What is open can be read to its end. */
export async function* contentOfFile(file: string): AsyncGenerator<Uint8Array, void> {
  const { O_RDONLY, O_NOFOLLOW = 0 } = fs.constants as Partial<typeof fs.constants>;
  const handle = await withDescriptors(() => fs.promises.open(file, (O_RDONLY ?? 0) | O_NOFOLLOW));
  try {
    for (;;) {
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafeSlow(READ_BYTES));
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}

/** The same of a file that is encrypted, whole, and never written to. */
export function contentOfSealed(file: string, sealing: Sealing): AsyncGenerator<Uint8Array, void> {
  return contentOfReader(file, { reader: (descriptor) => inPieces(sealing.open(descriptor, file, 'beside-readers')) });
}

/** The same, of one of which only that is known how it is read. */
export async function* contentOfReader(file: string, { reader }: Pick<SealedBytes, 'reader'>): AsyncGenerator<Uint8Array, void> {
  const descriptor = openPlain(file, READ);
  try {
    const read = reader(descriptor);
    for (let at = 0; ; ) {
      const bytes = Buffer.allocUnsafeSlow(READ_BYTES);
      const count = await read(bytes, at);
      if (count === 0) return;
      at += count;
      yield bytes.subarray(0, count);
    }
  } finally {
    closeQuietly(descriptor);
  }
}

/** Bytes that are read at once. */
const READ_BYTES = 2 ** 18;
