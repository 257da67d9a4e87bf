/** One who waits for places, by key, each with the first pass that counts. */
interface Waiter {
  readonly left: Map<string, number>;
  readonly resolve: () => void;
}

/** The root: a pass over it is one over everything. */
export const ROOT_KEY = '';

/**
 * Lets somebody wait until the places of which something is known now have been dealt with, once. What becomes known
 * later is not waited for: otherwise nobody's wait would end while others go on writing.
 *
 * Passes come one after another; each deals with some places, and puts off those where it could not.
 */
export class Progress {
  readonly #waiters = new Set<Waiter>();
  #pass = 0;
  /** Of the pass under way. */
  #taken: readonly string[] = [];
  #putOff: string[] = [];

  begin(keys: readonly string[]): void {
    this.#pass += 1;
    this.#taken = keys;
    this.#putOff = [];
  }

  /** Places that the pass under way was to deal with, or has come upon, and that another one will. */
  putOff(keys: Iterable<string>): void {
    this.#putOff.push(...keys);
  }

  end(): void {
    for (const waiter of [...this.#waiters]) this.#advance(waiter);
    this.#taken = [];
  }

  #advance(waiter: Waiter): void {
    const dealtWith = this.#dealtWith(waiter);
    for (const key of dealtWith) waiter.left.delete(key);
    for (const key of this.#putOff) {
      if (dealtWith.some((place) => isWithin(key, place))) waiter.left.set(key, this.#pass + 1);
    }
    if (waiter.left.size === 0) this.#release(waiter);
  }

  #dealtWith({ left }: Waiter): string[] {
    const taken = new Set(this.#taken);
    const isOfAll = taken.has(ROOT_KEY);
    return [...left].flatMap(([key, pass]) => (pass <= this.#pass && (isOfAll || taken.has(key)) ? [key] : []));
  }

  /** Resolves when these, and those of the pass that is under way, have been dealt with; or at `releaseAll`. */
  reached(keys: Iterable<string>): Promise<void> {
    const left = new Map<string, number>();
    for (const key of this.#taken) left.set(key, this.#pass);
    for (const key of keys) left.set(key, this.#pass + 1);
    if (left.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.add({ left, resolve }));
  }

  releaseAll(): void {
    for (const waiter of [...this.#waiters]) this.#release(waiter);
  }

  #release(waiter: Waiter): void {
    this.#waiters.delete(waiter);
    waiter.resolve();
  }
}

function isWithin(key: string, place: string): boolean {
  return place === ROOT_KEY || key === place || key.startsWith(`${place}/`);
}
