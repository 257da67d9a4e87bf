import type { Locator } from '../disk/locator.ts';

type Ended = Promise<unknown>;

/** The paths of the root, of each directory on the way, and of the place itself, in this order. */
function pathsTo(place: Locator): string[] {
  const paths = [''];
  for (const name of place) paths.push(paths.length === 1 ? name : `${paths.at(-1)}/${name}`);
  return paths;
}

/** Several values for each key. */
class Index {
  readonly #values = new Map<string, Set<Ended>>();

  get(key: string): Iterable<Ended> {
    return this.#values.get(key) ?? [];
  }

  add(key: string, value: Ended): void {
    const values = this.#values.get(key);
    if (values === undefined) this.#values.set(key, new Set([value]));
    else values.add(value);
  }

  delete(key: string, value: Ended): void {
    const values = this.#values.get(key);
    values?.delete(value);
    if (values?.size === 0) this.#values.delete(key);
  }
}

/**
 * This realm's share of the file system queue (https://fs.spec.whatwg.org/#file-system-queue): what this realm does
 * to one place happens in the order of its calls, awaited or not. The lock table orders realms among each other.
 *
 * - An operation that ends in its first turn never waits and is never waited for.
 * - Places conflict when one is the other or holds it; operations on places that do not conflict overlap freely.
 * - What a call costs does not depend on how many operations are under way elsewhere.
 * - A place that is being moved or removed counts as claimed until the caller's promise has settled.
 */
export class OperationQueue {
  readonly #underWay = new Set<Ended>();
  /** Operations by the paths of their places. */
  readonly #at = new Index();
  /** Operations by the paths of the directories above their places. */
  readonly #below = new Index();
  /** How many moves and removals name a place, by its path. */
  readonly #claims = new Map<string, number>();

  /** What was called before and concerns `places`; undefined, the usual case, when nothing has to be waited for. */
  before(...places: readonly Locator[]): Promise<unknown> | undefined {
    if (this.#underWay.size === 0) return undefined;
    const earlier = new Set<Ended>();
    for (const paths of places.map(pathsTo)) {
      for (const path of paths) for (const operation of this.#at.get(path)) earlier.add(operation);
      for (const operation of this.#below.get(paths.at(-1) ?? '')) earlier.add(operation);
    }
    return earlier.size === 0 ? undefined : Promise.allSettled(earlier);
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
    this.#enter(places, ended);
    try {
      return await ended;
    } finally {
      this.#leave(places, ended);
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
    return this.#claims.size > 0 && pathsTo(place).some((path) => this.#claims.has(path));
  }

  /** Resolves when everything that is under way has ended. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  #enter(places: readonly Locator[], operation: Ended): void {
    this.#underWay.add(operation);
    for (const paths of places.map(pathsTo)) {
      this.#at.add(paths.pop() ?? '', operation);
      for (const path of paths) this.#below.add(path, operation);
    }
  }

  #leave(places: readonly Locator[], operation: Ended): void {
    this.#underWay.delete(operation);
    for (const paths of places.map(pathsTo)) {
      this.#at.delete(paths.pop() ?? '', operation);
      for (const path of paths) this.#below.delete(path, operation);
    }
  }

  #unclaim(path: string): void {
    const count = (this.#claims.get(path) ?? 0) - 1;
    if (count > 0) this.#claims.set(path, count);
    else this.#claims.delete(path);
  }
}
