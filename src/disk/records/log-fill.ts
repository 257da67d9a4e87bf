/** Of the log's own header, and where in it and in that of a frame the salt is. https://www.sqlite.org/fileformat2.html#walformat */
const HEADER_BYTES = 32;
const SALT_IN_HEADER = 16;
const SALT_IN_FRAME = 8;
const SALT_BYTES = 8;

/** What a page takes in the log besides itself. */
export const FRAME_HEADER_BYTES = 24;

/**
 * How many pages a write-ahead log has that were written since it began anew. Its file does not say so, for it is not cut
 * then: to write over what is there costs less than new blocks. But each page has the salt that the log had, and those of
 * the present one come first. What was written and undone may be among them.
 */
export class LogFill {
  readonly #read: (length: number, at: number) => Uint8Array;
  readonly #frameBytes: number;
  #salt = '';
  /** So many are known to have it. */
  #frames = 0;

  /** `read` gives less at the end of the log. */
  constructor(pageBytes: number, read: (length: number, at: number) => Uint8Array) {
    this.#frameBytes = pageBytes + FRAME_HEADER_BYTES;
    this.#read = read;
  }

  /** Costs a few small reads. */
  count(): number {
    const salt = this.#saltAt(SALT_IN_HEADER);
    if (salt !== this.#salt) this.#frames = 0;
    this.#salt = salt;
    return (this.#frames = salt === '' ? 0 : this.#firstOther());
  }

  /** In steps that grow, and back in halves. */
  #firstOther(): number {
    let first = this.#frames;
    let step = 1;
    for (; this.#isPresent(first + step - 1); step *= 2) first += step;
    for (let behind = first + step - 1; first < behind; ) {
      const middle = Math.floor((first + behind) / 2);
      if (this.#isPresent(middle)) first = middle + 1;
      else behind = middle;
    }
    return first;
  }

  #isPresent(frame: number): boolean {
    return this.#saltAt(HEADER_BYTES + frame * this.#frameBytes + SALT_IN_FRAME) === this.#salt;
  }

  /** Empty: the log ends before. */
  #saltAt(place: number): string {
    const salt = this.#read(SALT_BYTES, place);
    return salt.length < SALT_BYTES ? '' : salt.join();
  }
}
