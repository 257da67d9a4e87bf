/** What stands before the first block of a file. */
export const HEADER_BYTES = 64;

/** What a block has on the disk beside its content: an IV before it, a tag behind it. */
export const IV_BYTES = 16;
export const TAG_BYTES = 16;
export const OVERHEAD = IV_BYTES + TAG_BYTES;

/** Binary logarithms of the sizes that a block on the disk can have. */
export const IN_PLACE = 12;
export const WHOLE = 16;

/**
 * Where the content of a file lies on the disk: in blocks of one size at its multiples, the last as short as what is in
 * it. The first has the header in it. All of it is arithmetic, so that a file's size says how long its content is.
 */
export class Grid {
  readonly log2: number;
  /** Bytes of a block on the disk. */
  readonly bytes: number;
  /** Content of a block but the first. */
  readonly #content: number;

  constructor(log2: number) {
    this.log2 = log2;
    this.bytes = 2 ** log2;
    this.#content = this.bytes - OVERHEAD;
  }

  /** The block that has the byte of the content at this position. */
  blockAt(position: number): number {
    return Math.floor((position + HEADER_BYTES) / this.#content);
  }

  /** The position in the content at which a block begins. */
  startOf(block: number): number {
    return block === 0 ? 0 : block * this.#content - HEADER_BYTES;
  }

  /** How much content a block can have. */
  capacityOf(block: number): number {
    return this.#content - this.headOf(block);
  }

  /** Bytes of a block's place on the disk that are not the block's. */
  headOf(block: number): number {
    return block === 0 ? HEADER_BYTES : 0;
  }

  /** Bytes of the file on the disk with so much content. */
  stored(size: number): number {
    if (size === 0) return HEADER_BYTES;
    const blocks = this.blockAt(size - 1) + 1;
    return size + HEADER_BYTES + blocks * OVERHEAD;
  }

  /** Bytes of content in a file of so many bytes. */
  sizeOf(stored: number): number {
    const block = Math.floor(stored / this.bytes);
    const rest = stored - block * this.bytes - this.headOf(block) - OVERHEAD;
    return this.startOf(block) + Math.max(0, rest);
  }
}

const grids: Readonly<Record<number, Grid>> = { [IN_PLACE]: new Grid(IN_PLACE), [WHOLE]: new Grid(WHOLE) };

/** Null where no file of ours has such blocks. */
export function gridOf(log2: number): Grid | null {
  return grids[log2] ?? null;
}
