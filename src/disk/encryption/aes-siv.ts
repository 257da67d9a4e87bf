import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { addBlock, BLOCK, Cmac, copyBlock, double, paddedLength } from './cmac.ts';

/** What sealing adds. */
export const SIV_BYTES = BLOCK;

/** Below this many bytes the key stream is made of blocks here; beyond, a cipher object of its own is worth its making. */
const BY_BLOCKS = 2 ** 12;

/** How much can be opened at a time, see {@link AesSiv.openSeveral}. */
export const SEVERAL_BYTES = 2 ** 14;

/** Kept for messages up to this length; longer ones get memory of their own. */
const KEPT = 2 ** 16;

/** Of all keys; used within a call only. */
const scratch = new Uint8Array(KEPT);
const counters = new Uint8Array(SEVERAL_BYTES);
const words = new Uint32Array(counters.buffer);
const tags = new Uint8Array(SEVERAL_BYTES);

function room(bytes: number): Uint8Array {
  return bytes <= KEPT ? scratch : new Uint8Array(bytes);
}

const NONE: readonly Uint8Array[] = [];

/** Where something that was sealed stands in memory. */
export interface Place {
  readonly at: number;
  readonly length: number;
}

/** How much of {@link SEVERAL_BYTES} it takes to open something of so many bytes. */
export function roomToOpen(length: number): number {
  return paddedLength(length - SIV_BYTES);
}

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
    copyBlock(out, at, this.#tag, 0);
    this.#crypt(plain, 0, this.#tag, out, at + BLOCK);
  }

  /** Writes into `out` what was sealed, from its beginning; false: it is not what was sealed with this key and data. */
  open(sealed: Uint8Array, out: Uint8Array, associated: readonly Uint8Array[] = NONE): boolean {
    const length = sealed.length - BLOCK;
    if (length < 0) return false;
    const tag = sealed.subarray(0, BLOCK);
    this.#crypt(sealed, BLOCK, tag, out, 0);
    this.#s2v(out.subarray(0, length), associated);
    if (equalBlocks(tag, this.#tag)) return true;
    out.fill(0, 0, length);
    return false;
  }

  /**
   * Opens several messages that were sealed without associated data, at the price of one: the calls to the ciphers cost
   * more than a short message.
   *
   * @param places - where each stands in `memory`; none is shorter than a tag, and all take {@link SEVERAL_BYTES} at most
   * @param out - gets each behind the other, every one at a multiple of 16
   * @returns how many, up to the first that was not sealed so
   */
  openSeveral(memory: Uint8Array, places: readonly Place[], out: Uint8Array): number {
    const stream = this.#streamOf(memory, places);
    const ends: number[] = [];
    let end = 0;
    for (const { at, length } of places) {
      copyBlock(tags, ends.length * BLOCK, memory, at);
      const size = length - BLOCK;
      const from = at + BLOCK;
      for (let index = 0; index < size; index++) scratch[end + index] = out[end + index] = (memory[from + index] ?? 0) ^ (stream[end + index] ?? 0);
      end = this.#cmac.pad(scratch, end, this.#close(scratch, end, size, this.#start));
      ends.push(end);
    }
    const count = this.#cmac.agreeing(scratch, ends, tags);
    out.fill(0, count === 0 ? 0 : ends[count - 1], end);
    return count;
  }

  /** The key streams of several messages, one behind the other. */
  #streamOf(memory: Uint8Array, places: readonly Place[]): Uint8Array {
    let end = 0;
    for (const { at, length } of places) {
      const bytes = roomToOpen(length);
      putCounters(memory, at, bytes / BLOCK, end);
      end += bytes;
    }
    return this.#ecb.update(counters.subarray(0, end));
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
    const bytes = room(paddedLength(plain.length));
    bytes.set(plain);
    copyBlock(this.#tag, 0, this.#cmac.of(bytes, this.#close(bytes, 0, plain.length, sum)), 0);
  }

  /** The end of S2V: makes of what stands in `bytes` the message whose code is the tag. @returns its length */
  #close(bytes: Uint8Array, at: number, length: number, sum: Uint8Array): number {
    if (length >= BLOCK) {
      addBlock(bytes, at + length - BLOCK, sum);
      return length;
    }
    copyBlock(this.#sum, 0, sum, 0);
    double(this.#sum);
    bytes.fill(0, at + length, at + BLOCK);
    bytes[at + length] = 0x80;
    addBlock(bytes, at, this.#sum);
    return BLOCK;
  }

  /** CTR mode, of `input` from `from` on, with the tag as it begins. */
  #crypt(input: Uint8Array, from: number, tag: Uint8Array, out: Uint8Array, at: number): void {
    const length = input.length - from;
    if (length > BY_BLOCKS) {
      putCounters(tag, 0, 1, 0);
      out.set(createCipheriv(`aes-${this.#bits}-ctr`, this.#streamKey, counters.subarray(0, BLOCK)).update(input.subarray(from)), at);
      return;
    }
    const blocks = Math.ceil(length / BLOCK);
    putCounters(tag, 0, blocks, 0);
    const stream = this.#ecb.update(counters.subarray(0, blocks * BLOCK));
    for (let index = 0; index < length; index++) out[at + index] = (input[from + index] ?? 0) ^ (stream[index] ?? 0);
  }
}

/**
 * Counters from a tag on, which stands in `source`, with the highest bits of its last two words cleared; so only the last
 * word changes. `at`: a multiple of 16.
 */
function putCounters(source: Uint8Array, from: number, blocks: number, at: number): void {
  copyBlock(counters, at, source, from);
  counters[at + 8] = (counters[at + 8] ?? 0) & 0x7f;
  counters[at + 12] = (counters[at + 12] ?? 0) & 0x7f;
  const first = (((counters[at + 12] ?? 0) << 24) | ((counters[at + 13] ?? 0) << 16) | ((counters[at + 14] ?? 0) << 8) | (counters[at + 15] ?? 0)) >>> 0;
  const word = at / 4;
  for (let block = 1, place = at + BLOCK; block < blocks; block++, place += BLOCK) {
    words[place / 4] = words[word] ?? 0;
    words[place / 4 + 1] = words[word + 1] ?? 0;
    words[place / 4 + 2] = words[word + 2] ?? 0;
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
