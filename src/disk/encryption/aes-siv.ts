import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { addBlock, BLOCK, Cmac, double, paddedLength } from './cmac.ts';

/** What sealing adds. */
export const SIV_BYTES = BLOCK;

/** Below this many bytes the key stream is made of blocks here; beyond, a cipher object of its own is worth its making. */
export const BY_BLOCKS = 2 ** 12;

/** Kept for messages up to this length; longer ones get memory of their own. */
const KEPT = 2 ** 16;

/** Of all keys; used within a call only. */
const scratch = new Uint8Array(KEPT);
const counters = new Uint8Array(BY_BLOCKS + BLOCK);

function room(bytes: number): Uint8Array {
  return bytes <= KEPT ? scratch : new Uint8Array(bytes);
}

const NONE: readonly Uint8Array[] = [];

/**
 * AES-SIV: encryption that needs no nonce. Equal messages with equal associated data give equal ciphertexts, and that
 * is all that anybody learns; whatever was changed is found.
 * https://www.rfc-editor.org/rfc/rfc5297
 */
export class AesSiv {
  readonly #cmac: Cmac;
  readonly #ecb: ReturnType<typeof createCipheriv>;
  /** For messages that are long. */
  readonly #streamKey: KeyObject;
  readonly #bits: number;
  /** The code of a block of zeros, with which every S2V begins. */
  readonly #start: Uint8Array;
  readonly #tag = new Uint8Array(BLOCK);
  readonly #sum = new Uint8Array(BLOCK);

  /** `key`: 32 or 64 bytes; the caller may wipe them. */
  constructor(key: Uint8Array) {
    const half = key.length / 2;
    this.#bits = half * 8;
    this.#cmac = new Cmac(key.subarray(0, half));
    this.#streamKey = createSecretKey(key.subarray(half));
    this.#ecb = createCipheriv(`aes-${this.#bits}-ecb`, this.#streamKey, null).setAutoPadding(false);
    this.#start = Uint8Array.from(this.#cmac.of(new Uint8Array(BLOCK), BLOCK));
  }

  /** Writes the tag and the ciphertext, {@link SIV_BYTES} more than `plain` has, into `out` at `at`. They may not overlap. */
  seal(plain: Uint8Array, out: Uint8Array, at: number, associated: readonly Uint8Array[] = NONE): void {
    this.#s2v(plain, associated);
    out.set(this.#tag, at);
    this.#crypt(plain, this.#tag, out, at + BLOCK);
  }

  /**
   * Writes into `out` what was sealed, from its beginning; false: it is not what was sealed with this key and data.
   *
   * @param stream - of {@link keyStream}, for the tag with which `sealed` begins
   */
  open(sealed: Uint8Array, out: Uint8Array, associated: readonly Uint8Array[] = NONE, stream: Uint8Array | null = null): boolean {
    const length = sealed.length - BLOCK;
    if (length < 0) return false;
    const tag = sealed.subarray(0, BLOCK);
    if (stream === null) this.#crypt(sealed.subarray(BLOCK), tag, out, 0);
    else for (let index = 0; index < length; index++) out[index] = (sealed[BLOCK + index] ?? 0) ^ (stream[index] ?? 0);
    this.#s2v(out.subarray(0, length), associated);
    if (equalBlocks(tag, this.#tag)) return true;
    out.fill(0, 0, length);
    return false;
  }

  /** https://www.rfc-editor.org/rfc/rfc5297#section-2.4 */
  #s2v(plain: Uint8Array, associated: readonly Uint8Array[]): void {
    const sum = this.#sum;
    sum.set(this.#start);
    for (const data of associated) {
      double(sum);
      const bytes = room(paddedLength(data.length));
      bytes.set(data);
      addBlock(sum, 0, this.#cmac.of(bytes, data.length));
    }
    const { length } = plain;
    const bytes = room(paddedLength(length));
    bytes.set(plain);
    if (length >= BLOCK) {
      addBlock(bytes, length - BLOCK, sum);
      this.#tag.set(this.#cmac.of(bytes, length));
    } else {
      double(sum);
      bytes.fill(0, length, BLOCK);
      bytes[length] = 0x80;
      addBlock(bytes, 0, sum);
      this.#tag.set(this.#cmac.of(bytes, BLOCK));
    }
  }

  /** CTR mode, from the tag on with the highest bits of its last two words cleared. */
  #crypt(input: Uint8Array, tag: Uint8Array, out: Uint8Array, at: number): void {
    if (input.length > BY_BLOCKS) {
      putCounters(tag, 1, 0);
      out.set(createCipheriv(`aes-${this.#bits}-ctr`, this.#streamKey, counters.subarray(0, BLOCK)).update(input), at);
      return;
    }
    const blocks = Math.ceil(input.length / BLOCK);
    putCounters(tag, blocks, 0);
    const stream = this.#ecb.update(counters.subarray(0, blocks * BLOCK));
    for (let index = 0; index < input.length; index++) out[at + index] = (input[index] ?? 0) ^ (stream[index] ?? 0);
  }

  /**
   * The key streams of several messages, one behind the other, at the price of one: by their tags, and the blocks that
   * each has. At most {@link BY_BLOCKS} bytes.
   */
  keyStream(tags: readonly Uint8Array[], blocks: readonly number[]): Uint8Array {
    let at = 0;
    for (const [index, tag] of tags.entries()) {
      putCounters(tag, blocks[index] ?? 0, at);
      at += (blocks[index] ?? 0) * BLOCK;
    }
    return this.#ecb.update(counters.subarray(0, at));
  }
}

/** Counters from a tag on, with the highest bits of its last two words cleared; so only the last word changes. */
function putCounters(tag: Uint8Array, blocks: number, at: number): void {
  counters.set(tag, at);
  counters[at + 8] = (counters[at + 8] ?? 0) & 0x7f;
  counters[at + 12] = (counters[at + 12] ?? 0) & 0x7f;
  const first = (((counters[at + 12] ?? 0) << 24) | ((counters[at + 13] ?? 0) << 16) | ((counters[at + 14] ?? 0) << 8) | (counters[at + 15] ?? 0)) >>> 0;
  for (let block = 1, place = at + BLOCK; block < blocks; block++, place += BLOCK) {
    counters.copyWithin(place, at, at + BLOCK - 4);
    const counter = first + block;
    counters[place + 12] = counter >>> 24;
    counters[place + 13] = counter >>> 16;
    counters[place + 14] = counter >>> 8;
    counters[place + 15] = counter;
  }
}

/** In a time that tells nothing of where they differ. */
export function equalBlocks(one: Uint8Array, other: Uint8Array): boolean {
  let difference = one.length ^ other.length;
  for (let index = 0; index < one.length; index++) difference |= (one[index] ?? 0) ^ (other[index] ?? 0);
  return difference === 0;
}
