import type { Ledger, Mark } from './ledger.ts';
import type { Category } from './records.ts';

/** What a realm may use without asking, of whatever category. */
export interface Budget {
  /** Bytes. */
  left: number;
}

/** What an account does for its ledgers. */
export interface LedgerKeeper {
  readonly budget: Budget;
  /** Sees to it that so many bytes are left. @throws as `Ledger.charge` */
  reserve(bytes: number): void;
  mark(): Mark;
  free(category: Category, bytes: number, since: Mark): void;
  moved(since: Mark): void;
  doubt(): void;
}

/** What pays for one kind of things. To charge what was reserved before costs a comparison, a subtraction and an addition. */
export class CategoryLedger implements Ledger {
  /** Bytes that were used of what was reserved, since the account has told of it. */
  used = 0;
  readonly #category: Category;
  readonly #keeper: LedgerKeeper;
  readonly #budget: Budget;

  constructor(category: Category, keeper: LedgerKeeper) {
    this.#category = category;
    this.#keeper = keeper;
    this.#budget = keeper.budget;
  }

  charge(bytes: number): void {
    const budget = this.#budget;
    if (bytes > budget.left) this.#keeper.reserve(bytes);
    budget.left -= bytes;
    this.used += bytes;
  }

  refund(bytes: number): void {
    const own = Math.min(this.used, bytes);
    this.used -= own;
    this.#budget.left += own;
    // It was told of meanwhile.
    if (own < bytes) this.free(bytes - own, this.mark());
  }

  mark(): Mark {
    return this.#keeper.mark();
  }

  free(bytes: number, since: Mark): void {
    this.#keeper.free(this.#category, bytes, since);
  }

  moved(since: Mark): void {
    this.#keeper.moved(since);
  }

  doubt(): void {
    this.#keeper.doubt();
  }
}
