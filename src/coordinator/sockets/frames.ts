import { Buffer } from 'node:buffer';
import { readValue } from '../../disk/values/read-value.ts';
import { noPlatformObjects } from '../../disk/values/platform-objects.ts';
import { writeValueBriefly } from '../../disk/values/write-value.ts';

/** Bytes of one frame: arguments and results have smaller bounds of their own. */
export const LARGEST_FRAME = 3 * 2 ** 24;

export const LENGTH_BYTES = 4;

/** Before the message: the length of all that follows, and of the value among it. */
export const HEAD_BYTES = 2 * LENGTH_BYTES;

const NO_BYTES = new Uint8Array(0);

/** A message as it is sent: two lengths in four bytes each, little-endian, a written value, and bytes as they are. */
export function encodeFrame(message: readonly unknown[], bytes: Uint8Array = NO_BYTES): Uint8Array {
  const value = writeValueBriefly(message, noPlatformObjects);
  const frame = Buffer.allocUnsafe(HEAD_BYTES + value.length + bytes.length);
  frame.writeUInt32LE(LENGTH_BYTES + value.length + bytes.length);
  frame.writeUInt32LE(value.length, LENGTH_BYTES);
  frame.set(value, HEAD_BYTES);
  frame.set(bytes, HEAD_BYTES + value.length);
  return frame;
}

/** What was sent makes no sense: whoever sent it is not of ours. */
export class FrameError extends Error {}

/** Takes frames out of a stream of bytes. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Of the next frame with its length; 0: not known yet. */
  #wanted = 0;

  /** Whether a part of a frame is there, and the rest is not. */
  get isAmid(): boolean {
    return this.#bytes > 0;
  }

  /** `onFrame` is given each frame that is whole by now. @throws FrameError; what it throws */
  push(chunk: Buffer, onFrame: (frame: Buffer) => void): void {
    // Mostly a chunk is one frame, and nothing has to be made of it.
    if (this.#bytes === 0 && chunk.length > LENGTH_BYTES && sizeOf(chunk) === chunk.length) return onFrame(chunk);
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= Math.max(LENGTH_BYTES, this.#wanted)) {
      const bytes = this.#joined();
      if (this.#wanted === 0) {
        this.#wanted = sizeOf(bytes);
        continue;
      }
      const frame = bytes.subarray(0, this.#wanted);
      this.#keep(bytes.subarray(this.#wanted));
      onFrame(frame);
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

/** Of the frame that begins there, as it says. @throws FrameError */
function sizeOf(bytes: Buffer): number {
  const length = bytes.readUInt32LE(0);
  if (length > LARGEST_FRAME) throw new FrameError(`A frame of ${length} bytes is too long.`);
  return LENGTH_BYTES + length;
}

/** Where the message of a whole frame ends, and its bytes begin. @throws FrameError */
export function endOfMessage(frame: Buffer): number {
  const end = frame.length < HEAD_BYTES ? Infinity : HEAD_BYTES + frame.readUInt32LE(LENGTH_BYTES);
  if (end > frame.length) throw new FrameError('A frame is shorter than it says.');
  return end;
}

/** The message in a whole frame: its parts, and last its bytes. @throws FrameError */
export function decodeFrame(whole: Uint8Array): readonly unknown[] {
  const frame = Buffer.isBuffer(whole) ? whole : Buffer.from(whole.buffer, whole.byteOffset, whole.length);
  const end = endOfMessage(frame);
  const message = valueIn(frame.subarray(HEAD_BYTES, end));
  if (!Array.isArray(message)) throw new FrameError('A frame holds no message.');
  message.push(frame.subarray(end));
  return message;
}

function valueIn(bytes: Buffer): unknown {
  try {
    return readValue(bytes);
  } catch (cause) {
    throw new FrameError('A frame makes no sense.', { cause });
  }
}
