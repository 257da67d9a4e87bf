/**
 * Bytes of memory that requests, or answers, hold at once. Nobody may hold more than half of it where there are others,
 * so that one peer that is slow, or means ill, leaves room for the rest.
 */
export class Budget<Holder> {
  readonly #total: number;
  readonly #isShared: () => boolean;
  readonly #held = new Map<Holder, number>();
  #sum = 0;

  /** @param isShared whether there are several holders */
  constructor(total: number, isShared: () => boolean) {
    this.#total = total;
    this.#isShared = isShared;
  }

  /** Bytes that are held now. */
  get held(): number {
    return this.#sum;
  }

  /** False when there is no room; nothing is held then. */
  take(holder: Holder, bytes: number): boolean {
    const own = (this.#held.get(holder) ?? 0) + bytes;
    if (this.#sum + bytes > this.#total || (this.#isShared() && own > this.#total / 2)) return false;
    this.#held.set(holder, own);
    this.#sum += bytes;
    return true;
  }

  give(holder: Holder, bytes: number): void {
    const left = (this.#held.get(holder) ?? 0) - bytes;
    if (left > 0) this.#held.set(holder, left);
    else this.#held.delete(holder);
    this.#sum -= bytes;
  }
}
