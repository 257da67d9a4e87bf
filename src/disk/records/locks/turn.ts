import type { HeldWebLock, PendingWebLock } from '../../locks/lock-table.ts';
import type { WriterClaim } from '../database-locks.ts';
import { Losable, type Surroundings } from './losable.ts';

/** What else has to happen when a turn ends. */
export interface TurnEnds {
  /** Just before it is given back. */
  releasing?(): void;
  /** It was taken away, while it waited or after. */
  lost?(): void;
  /** Whoever has asked for it does not want it any more, whether or not it was lost. */
  dropped?(): void;
}

/** One lock of the table, from the request on. It is given back once, in whatever state it is. */
export class Turn extends Losable implements WriterClaim {
  readonly granted: Promise<void> | null;
  readonly #name: string;
  readonly #lock: PendingWebLock;
  readonly #around: Surroundings;
  readonly #ends: TurnEnds;
  #isOver = false;
  #isDropped = false;

  constructor(name: string, lock: PendingWebLock, around: Surroundings, ends: TurnEnds = {}) {
    super(around);
    this.#name = name;
    this.#around = around;
    this.#lock = lock;
    this.#ends = ends;
    this.granted = lock.held === null ? this.#wait() : null;
    if (lock.held !== null) this.#hold(lock.held);
    // Whoever waits for it is told; nobody has to.
    this.granted?.catch(() => undefined);
  }

  get isHeld(): boolean {
    return this.#lock.held !== null;
  }

  get isWanted(): boolean {
    return this.#around.isAwaited(this.#name) || !this.isHeld;
  }

  release(): void {
    if (!this.#isDropped) this.#ends.dropped?.();
    this.#isDropped = true;
    if (this.#isOver) return;
    this.#ends.releasing?.();
    this.#isOver = true;
    const { held } = this.#lock;
    if (held === null) this.#withdraw();
    else held.release();
  }

  async #wait(): Promise<void> {
    try {
      this.#hold(await this.#lock.granted);
    } catch (error) {
      this.#lose();
      throw error;
    }
  }

  #hold(held: HeldWebLock | null): void {
    if (held === null) return;
    if (this.#isOver) held.release();
    else held.onLost = () => this.#lose();
  }

  /** Where it was granted before that, or the disk refuses, it is given back as soon as it is held. */
  #withdraw(): void {
    try {
      this.#lock.abort();
    } catch {
      // As above.
    }
  }

  #lose(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.takenAway();
    this.#ends.lost?.();
  }
}
