/** What can be in one queue at a time. */
export interface Queued<Item> {
  /** The one behind it; null outside of queues, and at the end of one. */
  behind: Item | null;
}

/** First in, first out. Most queues have one item, or none, and there are many: an array would take more than both. */
export class Queue<Item extends Queued<Item>> {
  #first: Item | null = null;
  #last: Item | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get first(): Item | null {
    return this.#first;
  }

  add(item: Item): void {
    if (this.#last === null) this.#first = item;
    else this.#last.behind = item;
    this.#last = item;
    this.#size += 1;
  }

  shift(): Item | null {
    const first = this.#first;
    if (first === null) return null;
    this.#first = first.behind;
    if (first.behind === null) this.#last = null;
    first.behind = null;
    this.#size -= 1;
    return first;
  }

  /** One that has not come to its turn. */
  remove(item: Item): void {
    let before: Item | null = null;
    let at = this.#first;
    for (; at !== null && at !== item; at = at.behind) before = at;
    if (at === null) return;
    if (before === null) this.#first = at.behind;
    else before.behind = at.behind;
    if (at.behind === null) this.#last = before;
    at.behind = null;
    this.#size -= 1;
  }

  clear(): void {
    while (this.shift() !== null);
  }
}
