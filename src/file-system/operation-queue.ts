import { isWithin } from '../disk/locator.ts';
import type { Locator } from '../disk/locator.ts';

interface Operation {
  readonly places: readonly Locator[];
  readonly ended: Promise<unknown>;
}

function conflict(a: Locator, b: Locator): boolean {
  return isWithin(a, b) || isWithin(b, a);
}

function concerns(operation: Operation, places: readonly Locator[]): boolean {
  return operation.places.some((place) => places.some((other) => conflict(place, other)));
}

/**
 * This realm's share of the file system queue (https://fs.spec.whatwg.org/#file-system-queue): what this realm does
 * to one place happens in the order of its calls, awaited or not. The lock table orders realms among each other.
 *
 * - An operation that ends in its first turn never waits and is never waited for.
 * - Places conflict when one is the other or holds it; operations on places that do not conflict overlap freely.
 * - A place that is being moved or removed counts as claimed until the caller's promise has settled.
 */
export class OperationQueue {
  readonly #underWay = new Set<Operation>();
  /** How many moves and removals name a place, by its path. */
  readonly #claims = new Map<string, number>();

  /** What was called before and concerns `places`; undefined, the usual case, when nothing has to be waited for. */
  before(...places: readonly Locator[]): Promise<unknown> | undefined {
    if (this.#underWay.size === 0) return undefined;
    const earlier = [...this.#underWay].filter((operation) => concerns(operation, places));
    return earlier.length === 0 ? undefined : Promise.allSettled(earlier.map((operation) => operation.ended));
  }

  /**
   * Runs `body` after everything that was called before on `places`; synchronously where that is nothing. `body` calls
   * `done` when nothing needs to wait for it any longer, though its promise has yet to settle.
   */
  async run<T>(places: readonly Locator[], body: (done: () => void) => Promise<T>): Promise<T> {
    let isDone = false;
    const start = () => body(() => (isDone = true));
    const ended = this.before(...places)?.then(start) ?? start();
    if (isDone) return ended;
    const operation: Operation = { places, ended };
    this.#underWay.add(operation);
    try {
      return await ended;
    } finally {
      this.#underWay.delete(operation);
    }
  }

  /** Runs `body` as `run` does, while `places` are claimed. */
  async claim<T>(places: readonly Locator[], body: (done: () => void) => Promise<T>): Promise<T> {
    const paths = places.map((place) => place.join('/'));
    for (const path of paths) this.#claims.set(path, (this.#claims.get(path) ?? 0) + 1);
    try {
      return await this.run(places, body);
    } finally {
      for (const path of paths) this.#unclaim(path);
    }
  }

  /** Whether a move or removal of `place`, or of a directory that holds it, is under way in this realm. */
  isClaimed(place: Locator): boolean {
    if (this.#claims.size === 0) return false;
    return [...place, ''].some((_, depth) => this.#claims.has(place.slice(0, depth).join('/')));
  }

  /** Resolves when everything that is under way has ended. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) {
      await Promise.allSettled([...this.#underWay].map((operation) => operation.ended));
    }
  }

  #unclaim(path: string): void {
    const count = (this.#claims.get(path) ?? 0) - 1;
    if (count > 0) this.#claims.set(path, count);
    else this.#claims.delete(path);
  }
}
