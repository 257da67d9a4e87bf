/** Something that holds a descriptor and can do without it. */
export interface Suspendable {
  /** Set with every use; the bound on descriptors takes it away again. */
  used: boolean;
  /** Whether it must stay open. */
  readonly busy: boolean;
  /** Closes the descriptor; the next use opens it again. */
  suspend(): void;
}

/**
 * Keeps the number of open descriptors below a bound. Which one has rested longest is found by second chance: every
 * use sets a flag, which costs nothing, and only those are suspended that were not used since they were last looked at.
 */
export class OpenJournals<Kind extends Suspendable = Suspendable> {
  readonly #bound: number;
  /** The next one to look at is the first. */
  readonly #open = new Set<Kind>();

  constructor(bound: number) {
    this.#bound = bound;
  }

  /** Takes note of one that was opened, and suspends another where that makes too many. */
  add(opened: Kind): void {
    this.#open.add(opened);
    if (this.#open.size > this.#bound) this.#suspendOne(opened);
  }

  /** Takes note of one that was closed. */
  delete(closed: Kind): void {
    this.#open.delete(closed);
  }

  /** Suspends all of a sort that need not stay open; whether there were any. */
  suspendWhere(isMeant: (open: Kind) => boolean): boolean {
    const before = this.#open.size;
    for (const candidate of [...this.#open]) if (!candidate.busy && isMeant(candidate)) this.#suspend(candidate);
    return this.#open.size < before;
  }

  #suspend(candidate: Kind): void {
    this.#open.delete(candidate);
    candidate.suspend();
  }

  #suspendOne(spared: Kind): void {
    let chances = 2 * this.#open.size;
    for (const candidate of this.#open) {
      if (candidate !== spared && !candidate.busy && !candidate.used) return this.#suspend(candidate);
      this.#open.delete(candidate);
      candidate.used = false;
      this.#open.add(candidate);
      // All of them are busy: then the bound gives way.
      if (--chances === 0) return;
    }
  }
}
