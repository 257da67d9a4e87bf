import type { Transaction } from './transaction.ts';

/**
 * Who of this realm uses a store, and who waits for it. First come, first served: readers share it, a writer has it alone,
 * and whoever came later overtakes nobody.
 */
export class StoreQueue {
  readonly #users = new Set<Transaction>();
  #hasWriter = false;
  readonly #waiting = new Set<Transaction>();

  /** False: it has to wait, and will be unblocked. */
  enter(transaction: Transaction): boolean {
    if (this.#waiting.size > 0 || !this.#isFree(transaction)) {
      this.#waiting.add(transaction);
      return false;
    }
    this.#use(transaction);
    return true;
  }

  /** Whether it used the store or still waited for it. */
  leave(transaction: Transaction): void {
    if (this.#users.delete(transaction)) this.#hasWriter &&= transaction.isReadOnly;
    else this.#waiting.delete(transaction);
    for (const next of this.#waiting) {
      if (!this.#isFree(next)) return;
      this.#waiting.delete(next);
      this.#use(next);
      next.unblock();
    }
  }

  #isFree(transaction: Transaction): boolean {
    return !this.#hasWriter && (transaction.isReadOnly || this.#users.size === 0);
  }

  #use(transaction: Transaction): void {
    this.#users.add(transaction);
    if (!transaction.isReadOnly) this.#hasWriter = true;
  }
}
