/** Blocks that are kept as they were decrypted: some more than the ways that a program goes through a file at once. */
const BLOCKS = 16;

/** The content of a block: `bytes[0, length)`. */
export interface Slot {
  bytes: Uint8Array;
  length: number;
}

/** The blocks of one open file that were used last, for where nobody else writes to it. */
export class BlockCache {
  /** The least recently used first. */
  readonly #slots = new Map<number, Slot>();
  /** The one used last: who reads in order asks for it again. */
  #last = -1;

  /** Valid until another one is set. */
  get(block: number): Readonly<Slot> | undefined {
    const slot = this.#slots.get(block);
    if (slot === undefined) return undefined;
    if (block !== this.#last) this.#use(block, slot);
    return slot;
  }

  /** Keeps a copy, in memory that stays: what the cipher gives is garbage at once. */
  set(block: number, content: Uint8Array): void {
    const slot = this.#slots.get(block) ?? this.#spare();
    if (slot.bytes.length < content.length) slot.bytes = new Uint8Array(content.length);
    slot.bytes.set(content);
    slot.length = content.length;
    this.#use(block, slot);
  }

  delete(block: number): void {
    this.#slots.delete(block);
  }

  deleteFrom(first: number): void {
    for (const block of this.#slots.keys()) if (block >= first) this.#slots.delete(block);
  }

  #use(block: number, slot: Slot): void {
    this.#slots.delete(block);
    this.#slots.set(block, slot);
    this.#last = block;
  }

  /** A new slot, or that of the block that was used longest ago. */
  #spare(): Slot {
    if (this.#slots.size < BLOCKS) return { bytes: new Uint8Array(0), length: 0 };
    for (const [oldest, slot] of this.#slots) {
      this.#slots.delete(oldest);
      return slot;
    }
    throw new Error('a full cache is empty');
  }
}
