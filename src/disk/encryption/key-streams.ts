import { getUint32 } from '../journal/bytes.ts';
import { BY_BLOCKS, SIV_BYTES, type AesSiv } from './aes-siv.ts';
import { BLOCK } from './cmac.ts';

/* docs/FORMAT.md, "Frame": what lies between two payloads, and how far before one its length stands. */
const FRAME_OVERHEAD = 49;
const LENGTH_BEFORE_PAYLOAD = 28;

/** Records that are looked at together. */
const MOST = 64;
const MOST_BLOCKS = BY_BLOCKS / BLOCK;

/** Memory beyond this is not held for what may come. */
const MOST_BYTES = 2 ** 19;

/**
 * Who replays a journal opens record after record, and half of the price of a short one is the call by which its key
 * stream is made. Behind a record lie the next ones, in the same memory; so the streams of several are made at once.
 *
 * What lies there is a guess: it may be no record, or be overwritten. A stream is a matter of a record's tag alone, and is
 * used only for a record that begins with that tag.
 */
export class KeyStreams {
  readonly #siv: AesSiv;
  /** The memory that the last record was in, and where the one behind it would be. */
  #memory: ArrayBufferLike | null = null;
  #next = -1;
  #tags: Uint8Array[] = [];
  #blocks: number[] = [];
  #stream: Uint8Array | null = null;
  /** Which one is next, where its stream begins, and how many are guessed at a time. */
  #index = 0;
  #at = 0;
  #most = 1;

  constructor(siv: AesSiv) {
    this.#siv = siv;
  }

  /** The stream of what was sealed; null: it has to be made for this one. */
  of(sealed: Uint8Array): Uint8Array | null {
    const isNext = sealed.buffer === this.#memory && sealed.byteOffset === this.#next;
    this.#memory = sealed.buffer.byteLength > MOST_BYTES ? null : sealed.buffer;
    this.#next = sealed.byteOffset + sealed.length + FRAME_OVERHEAD;
    const known = this.#take(sealed);
    if (known !== null) return known;
    // A guess that failed is followed by a small one.
    this.#most = isNext && this.#index === this.#tags.length ? Math.min(MOST, 2 * this.#most) : 1;
    this.#forget();
    if (!isNext || this.#most === 1) return null;
    this.#guess(sealed);
    return this.#take(sealed);
  }

  #take(sealed: Uint8Array): Uint8Array | null {
    const tag = this.#tags[this.#index];
    const blocks = this.#blocks[this.#index] ?? 0;
    if (tag === undefined || this.#stream === null || blocks !== blocksOf(sealed.length)) return null;
    for (let index = 0; index < SIV_BYTES; index++) if (tag[index] !== sealed[index]) return null;
    const stream = this.#stream.subarray(this.#at);
    this.#index += 1;
    this.#at += blocks * BLOCK;
    return stream;
  }

  #forget(): void {
    this.#tags = [];
    this.#blocks = [];
    this.#stream = null;
    this.#index = this.#at = 0;
  }

  #guess(sealed: Uint8Array): void {
    const memory = new Uint8Array(sealed.buffer);
    let all = 0;
    for (let at = sealed.byteOffset, length = sealed.length; this.#tags.length < this.#most; ) {
      all += blocksOf(length);
      if (all > MOST_BLOCKS) break;
      this.#tags.push(memory.slice(at, at + SIV_BYTES));
      this.#blocks.push(blocksOf(length));
      at += length + FRAME_OVERHEAD;
      if (at > memory.length) break;
      length = getUint32(memory, at - LENGTH_BEFORE_PAYLOAD);
      if (length <= SIV_BYTES || at + length > memory.length) break;
    }
    if (this.#tags.length > 0) this.#stream = this.#siv.keyStream(this.#tags, this.#blocks);
  }
}

function blocksOf(length: number): number {
  return Math.ceil((length - SIV_BYTES) / BLOCK);
}
