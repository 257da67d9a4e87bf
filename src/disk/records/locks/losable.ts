import type { Claim } from '../database-locks.ts';

/** What claims need of the realm that they are in. */
export interface Surroundings {
  /** Reads the news of the journal. */
  look(): void;
  /** Reads them, and says whether anybody waits for a lock. */
  isAwaited(name: string): boolean;
  /** Runs `body` soon, in no caller's turn and context. */
  later(body: () => void): void;
}

/** A claim that can be taken away. */
export abstract class Losable implements Claim {
  readonly #around: Surroundings;
  #isLost = false;
  #onLost: (() => void) | null = null;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  abstract release(): void;

  get isLost(): boolean {
    if (!this.#isLost) this.#around.look();
    return this.#isLost;
  }

  get onLost(): (() => void) | null {
    return this.#onLost;
  }

  set onLost(listener: (() => void) | null) {
    this.#onLost = listener;
    if (this.#isLost) this.#tell();
  }

  protected takenAway(): void {
    if (this.#isLost) return;
    this.#isLost = true;
    this.#tell();
  }

  #tell(): void {
    const listener = this.#onLost;
    if (listener !== null) this.#around.later(listener);
  }
}
