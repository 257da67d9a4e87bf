/** Blocks that are kept as they were decrypted: some more than the ways that a program goes through a file at once. */
const BLOCKS = 16;

/** The blocks of one open file that were used last, for where nobody else writes to it. */
export class BlockCache {
  readonly #blocks = new Map<number, Uint8Array>();
  /** The one used last: who reads in order asks for it again. */
  #last = -1;

  get(block: number): Uint8Array | undefined {
    const content = this.#blocks.get(block);
    if (content !== undefined && block !== this.#last) this.set(block, content);
    return content;
  }

  set(block: number, content: Uint8Array): void {
    this.#blocks.delete(block);
    this.#blocks.set(block, content);
    this.#last = block;
    if (this.#blocks.size <= BLOCKS) return;
    for (const oldest of this.#blocks.keys()) {
      this.#blocks.delete(oldest);
      return;
    }
  }

  delete(block: number): void {
    this.#blocks.delete(block);
  }

  clear(): void {
    this.#blocks.clear();
  }
}
