import type { Buffer } from 'node:buffer';
import { createCipheriv } from 'node:crypto';

export const BLOCK = 16;

const ZERO = new Uint8Array(BLOCK);

/** What is added to a doubled block whose highest bit was set. https://www.rfc-editor.org/rfc/rfc4493#section-2.3 */
const REDUCTION = 0x87;

/** Doubles a block in the field of 2^128 elements, in place. */
export function double(block: Uint8Array): void {
  const carry = (block[0] ?? 0) >>> 7;
  for (let at = 0; at < BLOCK - 1; at++) block[at] = ((block[at] ?? 0) << 1) | ((block[at + 1] ?? 0) >>> 7);
  block[BLOCK - 1] = ((block[BLOCK - 1] ?? 0) << 1) ^ (carry * REDUCTION);
}

/** Adds a block to what stands in `bytes` at `at`. */
export function addBlock(bytes: Uint8Array, at: number, block: Uint8Array): void {
  for (let index = 0; index < BLOCK; index++) bytes[at + index] = (bytes[at + index] ?? 0) ^ (block[index] ?? 0);
}

/** How much room a message needs while its code is computed. */
export function paddedLength(length: number): number {
  return Math.max(BLOCK, Math.ceil(length / BLOCK) * BLOCK);
}

/**
 * AES-CMAC, from one cipher object in CBC mode that lives as long as the key: to make one costs more than to encrypt a
 * record. Such an object never ends, and goes on with its last block of output; that is added to each message's first
 * block, so that the message begins as if nothing had been before.
 * https://www.rfc-editor.org/rfc/rfc4493
 */
export class Cmac {
  readonly #cbc: ReturnType<typeof createCipheriv>;
  /** What CBC will add to the next block; at the same time the last result. */
  readonly #last = new Uint8Array(BLOCK);
  /** For messages that end with a block, and for all others. */
  readonly #whole: Uint8Array;
  readonly #padded: Uint8Array;

  /** `key`: 16 or 32 bytes. They are not kept. */
  constructor(key: Uint8Array) {
    this.#cbc = createCipheriv(key.length === 32 ? 'aes-256-cbc' : 'aes-128-cbc', key, ZERO).setAutoPadding(false);
    const subkey = Uint8Array.from(this.#pass(new Uint8Array(BLOCK), BLOCK));
    double(subkey);
    this.#whole = Uint8Array.from(subkey);
    double(subkey);
    this.#padded = subkey;
  }

  /**
   * The code of `message[0, length)`, whose bytes up to {@link paddedLength} are written over.
   *
   * @returns 16 bytes that are valid until the next call
   */
  of(message: Uint8Array, length: number): Uint8Array {
    const padded = paddedLength(length);
    if (padded === length) {
      addBlock(message, padded - BLOCK, this.#whole);
    } else {
      message.fill(0, length, padded);
      message[length] = 0x80;
      addBlock(message, padded - BLOCK, this.#padded);
    }
    return this.#pass(message, padded);
  }

  #pass(message: Uint8Array, length: number): Uint8Array {
    addBlock(message, 0, this.#last);
    const output: Buffer = this.#cbc.update(message.subarray(0, length));
    this.#last.set(output.subarray(length - BLOCK, length));
    return this.#last;
  }
}
