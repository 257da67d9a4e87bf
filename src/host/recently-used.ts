/** Holds on to the last few things that were used. */
export class RecentlyUsed<T extends object> {
  readonly #limit: number;
  readonly #things = new Set<T>();
  #last: T | undefined;

  constructor(limit: number) {
    this.#limit = limit;
  }

  use(thing: T): void {
    if (thing === this.#last) return;
    this.#last = thing;
    this.#things.delete(thing);
    this.#things.add(thing);
    if (this.#things.size <= this.#limit) return;
    for (const oldest of this.#things) {
      this.#things.delete(oldest);
      return;
    }
  }

  clear(): void {
    this.#things.clear();
    this.#last = undefined;
  }
}
