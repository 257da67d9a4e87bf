import { Buffer } from 'node:buffer';
import { readValue } from '../../disk/values/read-value.ts';
import { writeValue } from '../../disk/values/write-value.ts';

/** Bytes of one frame: arguments and results have smaller bounds of their own. */
export const LARGEST_FRAME = 3 * 2 ** 24;

const LENGTH_BYTES = 4;

/** A message as it is sent: its length in four bytes, little-endian, and a written value. */
export function encodeFrame(message: readonly unknown[]): Uint8Array {
  const payload = writeValue(message);
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + payload.length);
  frame.writeUInt32LE(payload.length);
  frame.set(payload, LENGTH_BYTES);
  return frame;
}

/** What was sent makes no sense: whoever sent it is not of ours. */
export class FrameError extends Error {}

/** Takes messages out of a stream of bytes. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of the next frame with its length; 0: not known yet. */
  #wanted = 0;

  /** @throws FrameError */
  *push(chunk: Buffer): Generator<readonly unknown[]> {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= Math.max(LENGTH_BYTES, this.#wanted)) {
      const bytes = this.#joined();
      if (this.#wanted === 0) {
        const length = bytes.readUInt32LE(0);
        if (length > LARGEST_FRAME) throw new FrameError(`A frame of ${length} bytes is too long.`);
        this.#wanted = LENGTH_BYTES + length;
        continue;
      }
      const frame = bytes.subarray(LENGTH_BYTES, this.#wanted);
      this.#keep(bytes.subarray(this.#wanted));
      yield messageIn(frame);
    }
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && this.#chunks.length === 1) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }

  #keep(rest: Buffer): void {
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#bytes = rest.length;
    this.#wanted = 0;
  }
}

function messageIn(frame: Uint8Array): readonly unknown[] {
  let message: unknown;
  try {
    message = readValue(frame);
  } catch (cause) {
    throw new FrameError('A frame makes no sense.', { cause });
  }
  if (!Array.isArray(message)) throw new FrameError('A frame holds no message.');
  return message;
}
