import type { Locator } from '../disk/locator.ts';
import { claimSpot, collectBelow, createSpot, enterSpot, leaveSpot, reach, unclaimSpot, wayTo, type Spot, type Wait } from './operation-spots.ts';

/**
 * This realm's share of the file system queue (https://fs.spec.whatwg.org/#file-system-queue): what this realm does
 * to one place happens in the order of its calls, awaited or not. The lock table orders realms among each other.
 *
 * - An operation that ends in its first turn never waits and is never waited for.
 * - Places conflict when one is the other or holds it; operations on places that do not conflict overlap freely.
 * - What a call costs depends on its place's depth, and on what began below that since anybody asked; on nothing else
 *   that is under way, here or elsewhere.
 * - A place that is being moved or removed counts as claimed until the caller's promise has settled.
 */
export class OperationQueue {
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #root = createSpot(null, '');
  #order = 0;

  /** What was called before and concerns `places`; undefined, the usual case, when nothing has to be waited for. */
  before(...places: readonly Locator[]): Promise<unknown> | undefined {
    if (this.#underWay.size === 0) return undefined;
    const earlier = new Set<Wait>();
    for (const place of places) this.#collect(place, earlier);
    return earlier.size === 0 ? undefined : settled(earlier);
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
    const leave = this.#enter(places, ended);
    try {
      return await ended;
    } finally {
      leave();
    }
  }

  /** Runs `body` as `run` does, while `places` are claimed. */
  async claim<T>(places: readonly Locator[], body: (done: () => void) => Promise<T>): Promise<T> {
    const spots = places.map((place) => this.#claim(place));
    try {
      return await this.run(places, body);
    } finally {
      for (const spot of spots) unclaimSpot(spot);
    }
  }

  /** Whether a move or removal of `place`, or of a directory that holds it, is under way in this realm. */
  isClaimed(place: Locator): boolean {
    if (this.#root.claimsWithin === 0) return false;
    for (const { claims } of wayTo(this.#root, place)) if (claims > 0) return true;
    return false;
  }

  /** Resolves when everything that is under way has ended. */
  async idle(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
  }

  /** @returns what is to be called when it has ended. */
  #enter(places: readonly Locator[], ended: Promise<unknown>): () => void {
    const operation = { ended, order: ++this.#order };
    const spots = places.map((place) => {
      const spot = reach(this.#root, place);
      enterSpot(spot, operation);
      return spot;
    });
    this.#underWay.add(ended);
    return () => {
      this.#underWay.delete(ended);
      for (const spot of spots) leaveSpot(spot, operation);
    };
  }

  #claim(place: Locator): Spot {
    const spot = reach(this.#root, place);
    claimSpot(spot);
    return spot;
  }

  /**
   * Adds what concerns a place. Operations above it and on it have waited for each other, and for what was below them,
   * so the last stands for all that came before it; and so does what the last one who asked waits for.
   */
  #collect(place: Locator, found: Set<Wait>): void {
    let last: Wait | null = null;
    let depth = -1;
    let spot = this.#root;
    for (const next of wayTo(this.#root, place)) {
      [spot, depth] = [next, depth + 1];
      last = later(last, spot.last);
    }
    if (depth === place.length && spot.operations > 0) this.#collectWithin(spot, last, found);
    else if (last !== null) found.add(last);
  }

  #collectWithin(spot: Spot, above: Wait | null, found: Set<Wait>): void {
    const last = later(above, spot.asked);
    const earlier = new Set<Wait>();
    if (last !== null) earlier.add(last);
    collectBelow(spot, last?.order ?? -1, earlier);
    if (earlier.size > 1) spot.asked = { ended: settled(earlier), order: this.#order };
    for (const each of earlier.size > 1 && spot.asked !== null ? [spot.asked] : earlier) found.add(each);
  }
}

function later(one: Wait | null, other: Wait | null): Wait | null {
  return one === null || (other !== null && other.order > one.order) ? other : one;
}

function settled(waits: Iterable<Wait>): Promise<unknown> {
  return Promise.allSettled(Array.from(waits, ({ ended }) => ended));
}
