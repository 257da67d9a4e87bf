import type { Content } from '../../tree/content.ts';
import type { PagedFile } from '../../tree/sealing.ts';
import { gridOf, IN_PLACE, OVERHEAD } from '../files/grid.ts';

/** Bytes of a page of SQLite, of which it leaves the last {@link OVERHEAD} to us: so page `n`, from 1, is block `n` of the file. */
const PAGE_BYTES = 2 ** IN_PLACE;
const CONTENT_BYTES = PAGE_BYTES - OVERHEAD;

/** What is written at most to reach a page that is not the next one: so that no file has holes. */
const FILLED_BYTES = 2 ** 19;

/**
 * A SQLite database on encrypted content. Invariants:
 * - a page that is written is one block, so it is the old or the new one whenever whoever writes is killed;
 * - what SQLite does not write on its way to a page farther on is there as zeros, encrypted like all else. A block of bare
 *   zeros is damage.
 */
export class SealedPages implements PagedFile {
  readonly #content: Content;
  /** Of a page that is wanted in part. */
  readonly #page = new Uint8Array(PAGE_BYTES);

  constructor(content: Content) {
    this.#content = content;
  }

  read(target: Uint8Array, at: number): number {
    let filled = 0;
    while (filled < target.length) {
      const count = this.#readPart(target.subarray(filled), at + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  /** Up to the end of a page. */
  #readPart(target: Uint8Array, at: number): number {
    const offset = at % PAGE_BYTES;
    const page = offset === 0 && target.length >= PAGE_BYTES ? target.subarray(0, PAGE_BYTES) : this.#page;
    const found = this.#content.read(page.subarray(0, CONTENT_BYTES), startOf(Math.floor(at / PAGE_BYTES)));
    if (found < CONTENT_BYTES) return 0;
    page.fill(0, CONTENT_BYTES);
    if (page !== this.#page) return PAGE_BYTES;
    const part = page.subarray(offset, offset + target.length);
    target.set(part);
    return part.length;
  }

  write(source: Uint8Array, at: number): void {
    for (let written = 0; written < source.length; written += PAGE_BYTES) {
      this.#writePage(source.subarray(written, written + PAGE_BYTES), (at + written) / PAGE_BYTES);
    }
  }

  #writePage(page: Uint8Array, index: number): void {
    if (page.length !== PAGE_BYTES || !Number.isInteger(index)) throw new Error('SQLite wrote what is no page.');
    const start = startOf(index);
    this.#reach(start);
    this.#put(page.subarray(0, CONTENT_BYTES), start);
  }

  #reach(start: number): void {
    for (let size = this.#content.size(); size < start; size = this.#content.size()) {
      this.#put(new Uint8Array(Math.min(FILLED_BYTES, start - size)), size);
    }
  }

  #put(bytes: Uint8Array, position: number): void {
    for (let written = 0; written < bytes.length; ) written += this.#content.write(bytes.subarray(written), position + written);
  }

  truncate(size: number): void {
    const start = startOf(Math.ceil(size / PAGE_BYTES));
    if (start < this.#content.size()) this.#content.truncate(start);
  }

  size(): number {
    return Math.max(0, Math.floor((this.#content.size() - startOf(0)) / CONTENT_BYTES)) * PAGE_BYTES;
  }

  flush(): void {
    // All of it is in the file.
  }
}

const grid = gridOf(IN_PLACE);

/** Where the content of a page begins, by its index from 0. What is before the first one is nobody's. */
function startOf(index: number): number {
  return grid?.startOf(index + 1) ?? 0;
}
