import type { WebLockMode } from '../../locks/lock-table.ts';
import type { Claim } from '../database-locks.ts';

/** What claims need of the realm that they are in. */
export interface Surroundings {
  /** Reads the news of the journal. */
  look(): void;
  /** Reads them, and says whether another realm holds or waits for what conflicts with a lock of this mode. */
  isWantedElsewhere(name: string, mode: WebLockMode): boolean;
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
