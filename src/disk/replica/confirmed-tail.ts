import type { Numbered } from './pending-queue.ts';

const MOST_OPERATIONS = 1024;
const MOST_BYTES = 2 ** 20;

/**
 * The last of this replica's own operations that were confirmed: a hub that was restored from a backup may have
 * forgotten them, and is given them again (rule 12). Bounded, oldest dropped first.
 */
export class ConfirmedTail {
  #items: Numbered[] = [];
  #bytes = 0;

  get items(): readonly Numbered[] {
    return this.#items;
  }

  push(item: Numbered): void {
    this.#items.push(item);
    this.#bytes += item.operation.payload.length;
    while (this.#items.length > MOST_OPERATIONS || this.#bytes > MOST_BYTES) this.#drop();
  }

  #drop(): void {
    this.#bytes -= this.#items.shift()?.operation.payload.length ?? 0;
  }

  replace(items: Iterable<Numbered>): void {
    this.#items = [];
    this.#bytes = 0;
    for (const item of items) this.push(item);
  }
}
