import { isWithoutEffect } from './charged.ts';
import type { Ledger, Mark } from './ledger.ts';

/**
 * What the content of an open file takes, as far as it was paid for. Invariants:
 * - the file is never larger than what was paid, but for what other writers of it have added;
 * - a write within what was paid costs one comparison.
 */
export class Extent {
  readonly #ledger: Ledger;
  /** The size of a file that others write to as well, now; undefined where nobody does. */
  readonly #look: (() => number) | undefined;
  #size: number;

  constructor(ledger: Ledger, size: number, look?: () => number) {
    this.#ledger = ledger;
    this.#size = size;
    this.#look = look;
  }

  /** Bytes that are paid for. */
  get size(): number {
    return this.#size;
  }

  /**
   * To be called before the file is written up to `end`. Returns what was paid for before, which is the file's size.
   *
   * @throws as `Ledger.charge`; nothing has changed then
   */
  cover(end: number): number {
    const before = this.#look === undefined ? this.#size : (this.#size = this.#look());
    if (end > before) {
      this.#ledger.charge(end - before);
      this.#size = end;
    }
    return before;
  }

  /** After a write of which the disk took only a part, or nothing: the file ends at `end`. */
  cutShort(end: number): void {
    if (end >= this.#size) return;
    this.#ledger.refund(this.#size - end);
    this.#size = end;
  }

  /** After a change that failed, of a file that ended at `end`: where it may be larger all the same, that stays paid for. */
  failed(end: number, error: unknown): void {
    if (isWithoutEffect(error)) this.cutShort(end);
    else this.#ledger.doubt();
  }

  /** To be asked for before the file is made smaller. */
  mark(): Mark {
    return this.#ledger.mark();
  }

  /** The file was made smaller. Where others write to it, somebody may have made it larger again: only a recount knows. */
  shrunk(size: number, since: Mark): void {
    if (size >= this.#size) return;
    this.#ledger.free(this.#size - size, since);
    if (this.#look !== undefined) this.#ledger.doubt();
    this.#size = size;
  }
}
