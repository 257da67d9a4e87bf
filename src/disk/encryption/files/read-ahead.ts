/** Bytes on the disk that are read at a time, at most, for whoever reads in order. */
const MOST_BYTES = 64 * 1024;

const NOTHING = new Uint8Array(0);

/**
 * What lies behind what was read last, as it is on the disk, for where nobody else writes to the file: who reads small
 * pieces in order has several of them brought by one system call. Whatever is written to the file has it forgotten.
 */
export class ReadAhead {
  #memory = NOTHING;
  /** `#memory[0, #length)` stands at `#start` of the file. */
  #start = 0;
  #length = 0;
  /** Where the last read has ended, and how much is worth being read from there on. */
  #next = -1;
  #worth = 0;

  /**
   * What is on the disk from a position on, up to so many bytes; fewer at the end.
   *
   * @param fetch - fills memory from a position on the disk, as far as there is something
   */
  read(position: number, bytes: number, fetch: (into: Uint8Array, position: number) => Uint8Array): Uint8Array | null {
    const offset = position - this.#start;
    const isInOrder = position === this.#next;
    this.#next = position + bytes;
    if (offset >= 0 && offset + bytes <= this.#length) return this.#memory.subarray(offset, offset + bytes);
    this.#worth = isInOrder ? Math.min(MOST_BYTES, Math.max(2 * this.#worth, 2 * bytes)) : 0;
    if (this.#worth < 2 * bytes) return null;
    if (this.#memory.byteLength === 0) this.#memory = new Uint8Array(MOST_BYTES);
    this.#length = 0;
    this.#length = fetch(this.#memory.subarray(0, this.#worth), position).byteLength;
    this.#start = position;
    return this.#memory.subarray(0, Math.min(bytes, this.#length));
  }

  forget(): void {
    this.#length = 0;
  }
}
