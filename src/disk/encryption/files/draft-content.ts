import { nextTurn } from '../../../runtime/timers.ts';
import type { Content } from '../../tree/content.ts';
import { SealedContent } from './sealed-content.ts';
import type { SealedFile } from './sealed-content.ts';

/** What is encrypted in one turn of the event loop. */
const PIECE_BYTES = 2 ** 20;

/**
 * The content of a file that nobody reads before it is finished: a writable's. What makes up no whole block is kept until
 * it does, or the file is finished; so many small writes cost one encryption.
 */
export class DraftContent implements Content {
  readonly wantsOrder = true;
  readonly #content: SealedContent;
  /** The block that is kept, where one is. */
  #block = -1;
  /** Its content is `#kept` up to `#length`. */
  #kept = new Uint8Array(0);
  #length = 0;

  constructor(file: Omit<SealedFile, 'isDraft' | 'isAlone'>) {
    this.#content = new SealedContent({ ...file, isDraft: true, isAlone: true });
  }

  size(): number {
    const size = this.#content.size();
    return this.#block < 0 ? size : Math.max(size, this.#grid.startOf(this.#block) + this.#length);
  }

  stored(size: number): number {
    return this.#content.stored(size);
  }

  read(into: Uint8Array, position: number): number {
    this.#flush();
    return this.#content.read(into, position);
  }

  async readLater(into: Uint8Array, position: number): Promise<number> {
    await nextTurn();
    return this.read(into.subarray(0, PIECE_BYTES), position);
  }

  write(bytes: Uint8Array, position: number): number {
    this.stored(position + bytes.byteLength);
    let written = 0;
    while (written < bytes.byteLength) {
      const at = position + written;
      const count = this.#isKept(at) ? this.#keep(bytes.subarray(written), at) : this.#pass(bytes.subarray(written), at);
      if (count === 0) break;
      written += count;
    }
    return written;
  }

  /** A piece, in a turn of its own. */
  async writeLater(bytes: Uint8Array, position: number): Promise<number> {
    await nextTurn();
    return this.write(bytes.subarray(0, PIECE_BYTES), position);
  }

  truncate(size: number): void {
    this.#flush();
    this.#content.truncate(size);
  }

  async truncateLater(size: number): Promise<void> {
    this.truncate(size);
  }

  finish(): void {
    this.#flush();
    this.#content.finish();
  }

  get #grid(): NonNullable<SealedContent['cipher']>['grid'] {
    const { cipher } = this.#content;
    if (cipher === null) throw new Error('a draft has no cipher');
    return cipher.grid;
  }

  #isKept(position: number): boolean {
    return this.#block >= 0 && this.#grid.blockAt(position) === this.#block;
  }

  /** Takes what belongs into the block that is kept. */
  #keep(bytes: Uint8Array, position: number): number {
    const grid = this.#grid;
    const offset = position - grid.startOf(this.#block);
    const part = bytes.subarray(0, grid.capacityOf(this.#block) - offset);
    if (offset > this.#length) this.#kept.fill(0, this.#length, offset);
    this.#kept.set(part, offset);
    this.#length = Math.max(this.#length, offset + part.byteLength);
    return part.byteLength;
  }

  /** Writes whole blocks; of another one, its content is kept from now on. */
  #pass(bytes: Uint8Array, position: number): number {
    this.#flush();
    const grid = this.#grid;
    const block = grid.blockAt(position);
    const whole = grid.startOf(grid.blockAt(position + bytes.byteLength)) - position;
    if (position === grid.startOf(block) && whole > 0) return this.#content.write(bytes.subarray(0, whole), position);
    if (grid.startOf(block) > this.#content.size()) return this.#content.write(bytes.subarray(0, grid.capacityOf(block) - (position - grid.startOf(block))), position);
    this.#begin(block);
    return this.#keep(bytes, position);
  }

  #begin(block: number): void {
    const grid = this.#grid;
    const capacity = grid.capacityOf(block);
    if (this.#kept.byteLength < capacity) this.#kept = new Uint8Array(grid.bytes);
    this.#length = this.#content.read(this.#kept.subarray(0, capacity), grid.startOf(block));
    this.#block = block;
  }

  /** @throws the operating system's error; what was kept is kept on then */
  #flush(): void {
    if (this.#block < 0) return;
    const start = this.#grid.startOf(this.#block);
    for (let written = 0; written < this.#length; ) {
      written += this.#content.write(this.#kept.subarray(written, this.#length), start + written);
    }
    this.#block = -1;
  }
}
