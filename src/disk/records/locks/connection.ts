import type { Wanted } from '../database-locks.ts';
import { Losable, type Surroundings } from './losable.ts';

/** One open connection of this realm. */
export class Connection extends Losable {
  readonly #onWanted: (wanted: Wanted) => Promise<void>;
  readonly #leave: (connection: Connection) => void;
  readonly #ended: Promise<void>;
  #end: () => void = () => {};
  #isOpen = true;

  constructor(around: Surroundings, onWanted: (wanted: Wanted) => Promise<void>, leave: (connection: Connection) => void) {
    super(around);
    this.#onWanted = onWanted;
    this.#leave = leave;
    this.#ended = new Promise((resolve) => (this.#end = resolve));
  }

  release(): void {
    if (!this.#isOpen) return;
    this.#close();
    this.#leave(this);
  }

  lose(): void {
    this.#close();
    this.takenAway();
  }

  /** Tells it what somebody wants. Resolves when it has heard that, or is no longer open. */
  async tell(wanted: Wanted): Promise<void> {
    if (!this.#isOpen) return;
    try {
      await Promise.race([this.#onWanted(wanted), this.#ended]);
    } catch {
      // It was told; what it could not do about it is its own affair.
    }
  }

  #close(): void {
    this.#isOpen = false;
    this.#end();
  }
}
