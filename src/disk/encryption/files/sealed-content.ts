import { nextTurn } from '../../../runtime/timers.ts';
import type { Content } from '../../tree/content.ts';
import { systemError } from '../../tree/open-plain.ts';
import { Blocks, RUN_BYTES } from './blocks.ts';
import type { Run } from './blocks.ts';
import type { FileCipher } from './file-cipher.ts';
import { HEADER_BYTES, OVERHEAD, WHOLE } from './grid.ts';

/** A gap up to this long is filled with encrypted zeros; a longer one becomes a hole. */
const FILLED_BYTES = 2 ** 20;

/** No disk has positions beyond this. */
const FARTHEST = 2 ** 52;

const zeros = new Uint8Array(64 * 1024);

/** Where the blocks are composed that are not written whole, within one call: the first and the last of a run. */
const rooms = [new Uint8Array(2 ** WHOLE), new Uint8Array(2 ** WHOLE)] as const;

/** An open file whose content is encrypted. */
export interface SealedFile {
  readonly descriptor: number;
  /** For errors. */
  readonly path: string;
  /** The cipher of what is in the file; null where nothing is. @throws EDAMAGED, HoldfastError key-missing */
  readonly look: () => FileCipher | null;
  /** The cipher that an empty file gets. */
  readonly begin: () => FileCipher;
  /** Nobody else writes to it while it is open. */
  readonly isAlone: boolean;
  /** Nobody reads it before it is finished; the header is written then. */
  readonly isDraft: boolean;
}

/**
 * The content of an encrypted file. Invariants:
 * - no byte of it comes to the disk but encrypted, and none is given that was not authenticated;
 * - a write puts whole blocks in their places, each of which is the old or the new one, whenever whoever writes is killed;
 * - what is cut off becomes zeros first and goes then: a kill in between leaves a file that is longer, by zeros up to the
 *   end of a block;
 * - a header that is there is written over only to say that there are holes, by which nobody's else can be undone;
 * - its size is arithmetic on the file's.
 */
export class SealedContent implements Content {
  readonly wantsOrder = true;
  readonly #file: SealedFile;
  readonly #blocks: Blocks;
  /** Null: not known yet. */
  #cipher: FileCipher | null = null;
  /** Whether the header is in the file, or will come there when it is finished. */
  #hasHeader = false;
  readonly #again = (): FileCipher => this.#lookAgain();

  constructor(file: SealedFile) {
    this.#file = file;
    this.#blocks = new Blocks(file.descriptor, file.path, file.isAlone);
    if (!file.isDraft) return;
    this.#cipher = file.look() ?? file.begin();
    this.#hasHeader = true;
  }

  /** Null while there is nothing in the file. */
  get cipher(): FileCipher | null {
    if (this.#cipher === null) {
      this.#cipher = this.#file.look();
      this.#hasHeader = this.#cipher !== null;
    }
    return this.#cipher;
  }

  size(): number {
    const { cipher } = this;
    return cipher === null ? 0 : (this.#fixedSize ?? cipher.grid.sizeOf(this.#blocks.stored));
  }

  stored(size: number): number {
    const stored = this.#begun.grid.stored(size);
    if (!Number.isSafeInteger(stored)) throw systemError('EFBIG', this.#file.path);
    return stored;
  }

  read(into: Uint8Array, position: number): number {
    const cipher = position < FARTHEST ? this.cipher : null;
    let filled = 0;
    while (cipher !== null && filled < into.byteLength) {
      const count = this.#blocks.read(cipher, into, filled, position + filled, this.#again);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  async readLater(into: Uint8Array, position: number): Promise<number> {
    const cipher = position < FARTHEST ? this.cipher : null;
    const count = cipher === null ? 0 : await this.#blocks.readLater(cipher, into, position);
    if (count > 0) return count;
    await nextTurn();
    return this.read(into, position);
  }

  write(bytes: Uint8Array, position: number): number {
    if (bytes.byteLength === 0) return 0;
    this.stored(position + bytes.byteLength);
    const cipher = this.#begun;
    let size = this.#reach(cipher, this.size(), position);
    let written = 0;
    while (written < bytes.byteLength) {
      const run = bytes.subarray(written, endOfRun(cipher, position + written) - position);
      const count = this.#writeRun(cipher, run, position + written, size);
      written += count;
      size = Math.max(size, position + written);
      if (count < run.byteLength) break;
    }
    return written;
  }

  async writeLater(bytes: Uint8Array, position: number): Promise<number> {
    return this.write(bytes, position);
  }

  truncate(size: number): void {
    this.stored(size);
    const before = this.size();
    if (size < before) this.#shrink(this.#begun, size);
    else if (size > before) this.#undone(before, () => this.#grow(this.#begun, before, size));
  }

  async truncateLater(size: number): Promise<void> {
    this.truncate(size);
  }

  /** Of a draft: writes the header, which says how long the content is where it is not to be written to in place. */
  finish(): void {
    if (!this.#file.isDraft) return;
    const { header, grid } = this.#begun;
    this.#writeHeader(this.#begun, { ...header, sealed: grid.log2 === WHOLE ? this.size() : null });
  }

  /** Of a file that was written as a whole. */
  get #fixedSize(): number | null {
    return this.#file.isDraft ? null : (this.#cipher?.header.sealed ?? null);
  }

  /** Its cipher, also where there is nothing yet. */
  get #begun(): FileCipher {
    return this.cipher ?? (this.#cipher = this.#file.begin());
  }

  /** Others may have said meanwhile that there are holes. */
  #lookAgain(): FileCipher {
    if (!this.#file.isAlone) this.#cipher = this.#file.look() ?? this.#cipher;
    return this.#begun;
  }

  /** Fills a gap before `position`; returns up to where the file's blocks are whole now, or its size. */
  #reach(cipher: FileCipher, size: number, position: number): number {
    if (cipher.grid.startOf(cipher.grid.blockAt(position)) <= size) return size;
    return this.#undone(size, () => this.#bridge(cipher, size, position));
  }

  #bridge(cipher: FileCipher, size: number, position: number): number {
    const isHole = position - size > FILLED_BYTES;
    if (isHole) this.#markHoles(cipher);
    const end = isHole ? endOfLastBlock(cipher, size) : position;
    for (let at = size; at < end; ) {
      const run = zeros.subarray(0, Math.min(end, endOfRun(cipher, at)) - at);
      at += this.#writeRun(cipher, run, at, at);
    }
    return end;
  }

  #grow(cipher: FileCipher, before: number, size: number): void {
    if (this.#bridge(cipher, before, size) < size) this.#blocks.cut(cipher.grid.stored(size));
  }

  /** What failed to make the file longer leaves it as it was. */
  #undone<T>(size: number, body: () => T): T {
    try {
      return body();
    } catch (error) {
      if (this.size() === size) throw error;
      // What others have added meanwhile must not be cut off: then nobody can say what has come to the disk.
      if (!this.#file.isAlone) throw systemError('EIO', this.#file.path);
      this.#shrink(this.#begun, size);
      throw error;
    }
  }

  #shrink(cipher: FileCipher, size: number): void {
    const { grid } = cipher;
    const block = grid.blockAt(Math.max(0, size - 1));
    const kept = size - grid.startOf(block);
    this.#requireInPlace(cipher);
    const content = kept > 0 && kept < grid.capacityOf(block) ? this.#blocks.load(cipher, block, rooms[0], this.#again) : null;
    this.#blocks.forget(block);
    if (content !== null) this.#shorten(cipher, block, content.subarray(0, kept));
    try {
      this.#blocks.cut(grid.stored(size));
    } catch (error) {
      if (content !== null) this.#restore(cipher, block, content);
      throw error;
    }
    if (content !== null) this.#blocks.keep(block, content.subarray(0, kept));
  }

  /** Makes all but the beginning of a block zeros; those behind it are gone then. */
  #shorten(cipher: FileCipher, block: number, kept: Uint8Array): void {
    const { grid } = cipher;
    const end = Math.min(this.#blocks.stored, (block + 1) * grid.bytes);
    this.#blocks.cut(end);
    this.#blocks.writeShort(cipher, block, kept, end - block * grid.bytes - grid.headOf(block));
  }

  /** As far as the disk lets it, and nobody else may have written there. */
  #restore(cipher: FileCipher, block: number, content: Uint8Array): void {
    if (!this.#file.isAlone) return;
    try {
      this.#blocks.write(cipher, { first: block, contents: [content] }, null);
    } catch {
      // Whoever asked is told of what failed first.
    }
  }

  /** Writes what lies in one run of blocks; returns how much, which is less on a full disk. */
  #writeRun(cipher: FileCipher, bytes: Uint8Array, position: number, size: number): number {
    this.#requireInPlace(cipher);
    const { grid } = cipher;
    const first = grid.blockAt(position);
    const last = grid.blockAt(position + bytes.byteLength - 1);
    const contents: Uint8Array[] = [];
    for (let block = first; block <= last; block += 1) contents.push(this.#compose(cipher, block, bytes, position, size, rooms[block === first ? 0 : 1]));
    const head = first === 0 && !this.#hasHeader ? cipher.encodeHeader(cipher.header) : null;
    const { written, error } = this.#blocks.write(cipher, { first, contents }, head);
    this.#hasHeader ||= written >= HEADER_BYTES;
    if (error === null) {
      this.#keep(cipher, { first, contents }, position, position + bytes.byteLength);
      return bytes.byteLength;
    }
    const end = this.#mend(cipher, { first, contents }, written, size);
    if (end <= position) throw error;
    return Math.min(end - position, bytes.byteLength);
  }

  /** What a block will have: what is written of it, and around that what it has; composed in `room` where it is both. */
  #compose(cipher: FileCipher, block: number, bytes: Uint8Array, position: number, size: number, room: Uint8Array): Uint8Array {
    const start = cipher.grid.startOf(block);
    const end = start + cipher.grid.capacityOf(block);
    const from = Math.max(start, position);
    const to = Math.min(end, position + bytes.byteLength);
    const written = bytes.subarray(from - position, to - position);
    if (from === start && to >= Math.min(size, end)) return written;
    const place = room.subarray(0, end - start);
    const old = size > start ? this.#blocks.read(cipher, place, 0, start, this.#again) : 0;
    if (old < from - start) place.fill(0, old, from - start);
    place.set(written, from - start);
    return place.subarray(0, Math.max(old, to - start));
  }

  /** Of what has come to the disk keeps the blocks of which more may be written next: those that were not filled from end to end. */
  #keep({ grid }: FileCipher, { first, contents }: Run, position: number, end: number): void {
    for (const [index, content] of contents.entries()) {
      const block = first + index;
      const isWhole = position <= grid.startOf(block) && grid.startOf(block + 1) <= end;
      this.#blocks.keep(block, isWhole || this.#file.isDraft ? null : content);
    }
  }

  /** After a write that the disk has cut short: the block that it was cut in gets a whole content again, or goes. */
  #mend(cipher: FileCipher, { first, contents }: Run, written: number, size: number): number {
    const { grid } = cipher;
    const whole = contents.findIndex((content, index) => written < index * grid.bytes + grid.headOf(first + index) + OVERHEAD + content.byteLength);
    const torn = first + whole;
    const start = grid.startOf(torn);
    const old = Math.min(Math.max(0, size - start), grid.capacityOf(torn));
    const content = contents[whole]?.subarray(0, old);
    if (content !== undefined && old > 0) this.#blocks.write(cipher, { first: torn, contents: [content] }, null);
    this.#blocks.forget();
    // Unless others have written behind it.
    const isLast = this.#blocks.stored <= (torn + 1) * grid.bytes;
    if (isLast) this.#blocks.cut(this.#hasHeader ? grid.stored(Math.max(size, start)) : 0);
    return start + old;
  }

  #markHoles(cipher: FileCipher): void {
    if (cipher.header.hasHoles && this.#hasHeader) return;
    this.#requireInPlace(cipher);
    this.#writeHeader(cipher, { ...cipher.header, hasHoles: true });
  }

  #writeHeader(cipher: FileCipher, header: FileCipher['header']): void {
    this.#blocks.putWhole(cipher.encodeHeader(header), 0);
    cipher.header = header;
    this.#hasHeader = true;
  }

  /** What was written as a whole is replaced as a whole, or gets another form first. */
  #requireInPlace(cipher: FileCipher): void {
    if (cipher.header.sealed !== null && !this.#file.isDraft) throw systemError('EROFS', this.#file.path);
  }
}

/** Where a run that begins at a position ends at the latest. */
function endOfRun({ grid }: FileCipher, position: number): number {
  return grid.startOf(grid.blockAt(position) + RUN_BYTES / grid.bytes);
}

function endOfLastBlock({ grid }: FileCipher, size: number): number {
  return size === 0 ? 0 : grid.startOf(grid.blockAt(size - 1) + 1);
}
