/** What was reported while a journal was read, and may call others: it waits until that is over, and keeps its order. */
export class News {
  #pieces: (() => void)[] = [];
  #delivering = false;

  add(piece: () => void): void {
    this.#pieces.push(piece);
  }

  /** Delivers each piece once, also what arrives meanwhile; false when there is none, or the delivery is under way. */
  deliver(): boolean {
    if (this.#pieces.length === 0 || this.#delivering) return false;
    this.#delivering = true;
    let delivered = 0;
    try {
      for (let next = this.#pieces[0]; next !== undefined; next = this.#pieces[delivered]) {
        delivered++;
        next();
      }
    } finally {
      this.#pieces.splice(0, delivered);
      this.#delivering = false;
    }
    return true;
  }
}
