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

/** Copies the block that stands in `blocks` at `from` into `bytes` at `at`: sooner than a view is made of it. */
export function copyBlock(bytes: Uint8Array, at: number, blocks: Uint8Array, from: number): void {
  for (let index = 0; index < BLOCK; index++) bytes[at + index] = blocks[from + index] ?? 0;
}

/** Adds a block, which stands in `blocks` at `from`, to what stands in `bytes` at `at`. */
export function addBlock(bytes: Uint8Array, at: number, blocks: Uint8Array, from = 0): void {
  for (let index = 0; index < BLOCK; index++) bytes[at + index] = (bytes[at + index] ?? 0) ^ (blocks[from + index] ?? 0);
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
    const subkey = Uint8Array.from(this.#cbc.update(ZERO));
    this.#last.set(subkey);
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
    const end = this.pad(message, 0, length);
    addBlock(message, 0, this.#last);
    const output: Buffer = this.#cbc.update(message.subarray(0, end));
    copyBlock(this.#last, 0, output, end - BLOCK);
    return this.#last;
  }

  /** Pads what stands in `bytes` from `at` on as a message of {@link agreeing}. @returns where it ends then */
  pad(bytes: Uint8Array, at: number, length: number): number {
    const padded = paddedLength(length);
    const end = at + padded;
    if (padded === length) {
      addBlock(bytes, end - BLOCK, this.#whole);
    } else {
      bytes.fill(0, at + length, end);
      bytes[at + length] = 0x80;
      addBlock(bytes, end - BLOCK, this.#padded);
    }
    return end;
  }

  /**
   * How many of several messages have the codes that they are said to have, up to the first that has not; at the price of
   * one. Each follows on the code of the one before, and is made to begin as if nothing had been before by the code that
   * that one is said to have: so as long as all are right, each is computed as if it were alone.
   *
   * @param messages - one behind the other, each padded; they are written over
   * @param ends - of each message
   * @param codes - one behind the other
   */
  agreeing(messages: Uint8Array, ends: readonly number[], codes: Uint8Array): number {
    addBlock(messages, 0, this.#last);
    for (let index = 1; index < ends.length; index++) addBlock(messages, ends[index - 1] ?? 0, codes, (index - 1) * BLOCK);
    const end = ends.at(-1) ?? 0;
    const output: Buffer = this.#cbc.update(messages.subarray(0, end));
    copyBlock(this.#last, 0, output, end - BLOCK);
    let count = 0;
    while (count < ends.length && areEqual(output, (ends[count] ?? 0) - BLOCK, codes, count * BLOCK)) count++;
    return count;
  }
}

/** In a time that tells nothing of where they differ. */
function areEqual(bytes: Uint8Array, at: number, codes: Uint8Array, from: number): boolean {
  let difference = 0;
  for (let index = 0; index < BLOCK; index++) difference |= (bytes[at + index] ?? 0) ^ (codes[from + index] ?? 1);
  return difference === 0;
}
