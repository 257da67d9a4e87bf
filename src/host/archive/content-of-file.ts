import fs from 'node:fs';
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

/** Bytes that are read at once. */
const READ_BYTES = 2 ** 18;
