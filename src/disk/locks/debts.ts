/** A record that could not be appended, and must be some time. */
interface Debt {
  readonly session: number;
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** What the disk has refused of sessions' records, in order. */
export class Debts {
  #owed: Debt[] = [];

  get size(): number {
    return this.#owed.length;
  }

  /** `payload` may be used for something else afterwards. */
  add(session: number, kind: number, payload: Uint8Array): void {
    this.#owed.push({ session, kind, payload: payload.slice() });
  }

  clear(): void {
    this.#owed = [];
  }

  /** Appends those of this session, and forgets others'. What the disk refuses of one it would refuse of all. */
  pay(session: number, append: (kind: number, payload: Uint8Array) => void): void {
    const owed = this.#owed.filter((debt) => debt.session === session);
    this.#owed = owed;
    let paid = 0;
    try {
      for (const { kind, payload } of owed) {
        append(kind, payload);
        paid++;
      }
    } catch {
      // As above.
    }
    this.#owed = owed.slice(paid);
  }
}
