import fs from 'node:fs';
import { giveBack } from '../../../runtime/give-back.ts';
import { quickerSubtle } from '../../../runtime/quicker-subtle.ts';
import { systemError } from '../../tree/open-plain.ts';
import { BlockCache } from './block-cache.ts';
import type { FileCipher } from './file-cipher.ts';
import { IV_BYTES, OVERHEAD, WHOLE } from './grid.ts';
import { drawIvs } from './ivs.ts';
import { ReadAhead } from './read-ahead.ts';

/** Bytes on the disk that are read or written at a time. */
export const RUN_BYTES = 256 * 1024;

/** Beside a writer a block may be met half written; that often in a row it is no coincidence. */
const ATTEMPTS = 16;

const subtle = quickerSubtle();

/** Ciphertext on its way, within one call. */
const scratch = new Uint8Array(RUN_BYTES);

/** Blocks of a file that lie together, and what they are to have. */
export interface Run {
  readonly first: number;
  readonly contents: readonly Uint8Array[];
}

/**
 * The blocks of an open file on the disk. Invariants:
 * - none is given that was not authenticated;
 * - what is read ahead is of a file that nobody else writes to, and is forgotten before anything is written to it here;
 * - those that lie together are written with one system call, and each has a place of its own: so it is the old or the
 *   new one, as a page of a plain file is.
 */
export class Blocks {
  readonly #descriptor: number;
  readonly #path: string;
  readonly #cache: BlockCache | null;
  readonly #ahead: ReadAhead | null;
  readonly #attempts: number;
  readonly #isAlone: boolean;
  /** Of a file that nobody else writes to; below zero: it has to be asked for. */
  #size = -1;

  /** `isAlone`: nobody else writes to the file while it is open. */
  constructor(descriptor: number, path: string, isAlone: boolean) {
    this.#isAlone = isAlone;
    this.#descriptor = descriptor;
    this.#path = path;
    this.#cache = isAlone ? new BlockCache() : null;
    this.#ahead = isAlone ? new ReadAhead() : null;
    this.#attempts = isAlone ? 1 : ATTEMPTS;
  }

  /** Bytes of the file on the disk. */
  get stored(): number {
    if (!this.#isAlone || this.#size < 0) this.#size = fs.fstatSync(this.#descriptor).size;
    return this.#size;
  }

  /**
   * Fills `into` from `from` on with content that lies together, from a position in it on; 0 at the end.
   *
   * @throws EDAMAGED when it is not what was written. `again`: the cipher to try again with
   */
  read(cipher: FileCipher, into: Uint8Array, from: number, position: number, again: () => FileCipher): number {
    const { grid } = cipher;
    const block = grid.blockAt(position);
    const cached = this.#cache?.get(block);
    if (cached !== undefined) return copyFrom(cached.bytes, cached.length, position - grid.startOf(block), into, from);
    if (this.#isAlone && position >= grid.sizeOf(this.stored)) return 0;
    const end = Math.min(grid.blockAt(position + into.byteLength - from - 1) + 1, block + RUN_BYTES / grid.bytes);
    for (let attempt = 1, present = cipher; ; attempt += 1, present = again()) {
      const stored = this.#stored(block * grid.bytes, (end - block) * grid.bytes);
      const count = this.#open(present, stored, block, into, from, position);
      if (count >= 0) return count;
      if (attempt === this.#attempts) throw damaged(this.#path, `block ${-1 - count}`);
    }
  }

  /**
   * The same in another thread. 0 where that is not worth it, and where a block is not what was written: then {@link read}
   * says so.
   */
  async readLater(cipher: FileCipher, into: Uint8Array, position: number): Promise<number> {
    const { grid } = cipher;
    if (subtle === null || grid.log2 !== WHOLE) return 0;
    const first = grid.blockAt(position);
    const blocks = grid.blockAt(position + into.byteLength - 1) + 1 - first;
    const stored = this.#fetch(new Uint8Array(blocks * grid.bytes), first * grid.bytes);
    const opening: Promise<Uint8Array | null>[] = [];
    for (let index = 0; index < blocks; index += 1) {
      opening.push(cipher.openLater(subtle, first + index, stored.subarray(index * grid.bytes + grid.headOf(first + index), (index + 1) * grid.bytes)));
    }
    let filled = 0;
    for (const [index, content] of (await Promise.all(opening)).entries()) {
      if (content === null) break;
      filled += copyFrom(content, content.byteLength, position + filled - grid.startOf(first + index), into, filled);
    }
    return filled;
  }

  /** The content of one block, in `room`; empty where none is. @throws EDAMAGED */
  load(cipher: FileCipher, block: number, room: Uint8Array, again: () => FileCipher): Uint8Array {
    const { grid } = cipher;
    const content = room.subarray(0, grid.capacityOf(block));
    return content.subarray(0, this.read(cipher, content, 0, grid.startOf(block), again));
  }

  /**
   * Writes blocks; `head` goes before the first one of the file, into whose place it belongs.
   *
   * @returns how many bytes from the start of the first block's place are written; fewer than all when the disk is full
   * @throws the operating system's error when nothing was written
   */
  write(cipher: FileCipher, { first, contents }: Run, head: Uint8Array | null): { readonly written: number; readonly error: unknown } {
    const { grid } = cipher;
    const ivs = drawIvs(contents.length);
    let end = 0;
    for (const [index, content] of contents.entries()) {
      const block = first + index;
      const at = index * grid.bytes + grid.headOf(block);
      cipher.seal(block, content, ivs.subarray(index * IV_BYTES, (index + 1) * IV_BYTES), scratch, at);
      end = at + OVERHEAD + content.byteLength;
    }
    if (head !== null) scratch.set(head);
    const start = head === null ? grid.headOf(first) : 0;
    return this.#put(scratch.subarray(start, end), first * grid.bytes + start, start);
  }

  /** Makes a block shorter without making the file shorter, see `FileCipher.sealShort`. `stored`: what it takes on the disk. */
  writeShort(cipher: FileCipher, block: number, content: Uint8Array, stored: number): void {
    const { grid } = cipher;
    const out = scratch.subarray(0, stored);
    cipher.sealShort(block, content, drawIvs(1), out);
    this.putWhole(out, block * grid.bytes + grid.headOf(block));
  }

  putWhole(bytes: Uint8Array, position: number): void {
    this.#changes();
    for (let written = 0; written < bytes.byteLength; ) {
      written += fs.writeSync(this.#descriptor, bytes, written, bytes.byteLength - written, position + written);
    }
  }

  cut(stored: number): void {
    this.#changes();
    fs.ftruncateSync(this.#descriptor, stored);
    this.#size = stored;
  }

  /** Keeps what was written of a block; null: nobody needs it next. */
  keep(block: number, content: Uint8Array | null): void {
    if (content === null) this.#cache?.delete(block);
    else this.#cache?.set(block, content);
  }

  /** Forgets what is known of a block and of all behind it. */
  forget(from = 0): void {
    this.#cache?.deleteFrom(from);
  }

  /** To be called before anything is written: what is known of the file is no more. */
  #changes(): void {
    this.#ahead?.forget();
    this.#size = -1;
  }

  #put(bytes: Uint8Array, position: number, start: number): { readonly written: number; readonly error: unknown } {
    const size = this.#size;
    let written = 0;
    this.#changes();
    try {
      while (written < bytes.byteLength) {
        written += fs.writeSync(this.#descriptor, bytes, written, bytes.byteLength - written, position + written);
      }
      if (size >= 0) this.#size = Math.max(size, position + written);
    } catch (error) {
      this.forget();
      if (written === 0) throw error;
      return { written: start + written, error };
    }
    return { written: start + written, error: null };
  }

  /** How many bytes there were; below zero where a block is not what was written, -1 for the first of the file. */
  #open(cipher: FileCipher, stored: Uint8Array, first: number, into: Uint8Array, from: number, position: number): number {
    const { grid } = cipher;
    let filled = from;
    for (let block = first, place = 0; filled < into.byteLength; block += 1, place += grid.bytes) {
      const at = place + grid.headOf(block);
      const end = Math.min(place + grid.bytes, stored.byteLength);
      if (end - at <= OVERHEAD) break;
      const content = cipher.open(block, stored, at, end);
      if (content === null) return -1 - block;
      const { byteLength } = content;
      const count = copyFrom(content, byteLength, position + filled - from - grid.startOf(block), into, filled);
      filled += count;
      // Of what was read whole nobody needs a part next.
      if (count < byteLength) this.#cache?.set(block, content);
      giveBack(content);
      if (byteLength < grid.capacityOf(block)) break;
    }
    return filled - from;
  }

  /** What is on the disk from a position on; valid until the next call. */
  #stored(position: number, bytes: number): Uint8Array {
    return this.#ahead?.read(position, bytes, this.#fetch) ?? this.#fetch(scratch.subarray(0, bytes), position);
  }

  /** Fills `into` from a position on the disk, as far as there is something; whoever is alone knows how far. */
  readonly #fetch = (into: Uint8Array, position: number): Uint8Array => {
    const most = this.#isAlone ? Math.min(into.byteLength, this.stored - position) : into.byteLength;
    let filled = 0;
    for (let count = -1; count !== 0 && filled < most; filled += count) {
      count = fs.readSync(this.#descriptor, into, filled, most - filled, position + filled);
    }
    return filled === into.byteLength ? into : into.subarray(0, filled);
  };
}

/** What is on the disk is not what was written there. */
export function damaged(path: string, what: string): Error {
  return systemError('EDAMAGED', `${path}, ${what}`);
}

/** Copies `content[0, length)` from an offset on, as far as there is room in `into` from `at` on. */
function copyFrom(content: Uint8Array, length: number, offset: number, into: Uint8Array, at: number): number {
  const count = Math.max(0, Math.min(length - offset, into.byteLength - at));
  into.set(count === content.byteLength ? content : content.subarray(offset, offset + count), at);
  return count;
}
