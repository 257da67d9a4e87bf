import type { FileChange } from './lock-table.ts';

/** How many of the last changes a snapshot carries, for readers that come late. */
export const KEPT_CHANGES = 64;

/** How many changes of files there were, and the last of them. */
export class RecentChanges {
  #count: number;
  #recent: FileChange[];

  constructor(count = 0, recent: readonly FileChange[] = []) {
    this.#count = count;
    this.#recent = [...recent];
  }

  get count(): number {
    return this.#count;
  }

  /** The last ones, in order. */
  get kept(): FileChange[] {
    return this.#recent.slice(-KEPT_CHANGES);
  }

  add(change: FileChange): void {
    this.#count++;
    this.#recent.push(change);
    if (this.#recent.length >= 2 * KEPT_CHANGES) this.#recent.splice(0, KEPT_CHANGES);
  }

  /** Those that came after the first `count`; null where not all of them are known. */
  since(count: number): FileChange[] | null {
    const missed = this.#count - count;
    if (missed < 0 || missed > this.#recent.length) return null;
    return missed === 0 ? [] : this.#recent.slice(-missed);
  }
}
