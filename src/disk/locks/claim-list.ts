/** What can be in a {@link ClaimList}, in one at a time. */
export interface Linked<C> {
  before: C | null;
  after: C | null;
}

/** Claims, or places that claims are on, in order. Each leaves in one step, wherever it stands. */
export class ClaimList<C extends Linked<C>> {
  #first: C | null = null;
  #last: C | null = null;

  get first(): C | null {
    return this.#first;
  }

  get last(): C | null {
    return this.#last;
  }

  push(claim: C): void {
    claim.before = this.#last;
    claim.after = null;
    if (this.#last === null) this.#first = claim;
    else this.#last.after = claim;
    this.#last = claim;
  }

  remove(claim: C): void {
    if (claim.before === null) this.#first = claim.after;
    else claim.before.after = claim.after;
    if (claim.after === null) this.#last = claim.before;
    else claim.after.before = claim.before;
    claim.before = claim.after = null;
  }

  /** Removes all, and gives them in order. */
  takeAll(): C[] {
    const claims: C[] = [];
    for (let claim = this.#first; claim !== null; ) {
      const { after } = claim;
      claim.before = claim.after = null;
      claims.push(claim);
      claim = after;
    }
    this.#first = this.#last = null;
    return claims;
  }

  appendTo(claims: C[]): void {
    for (let claim = this.#first; claim !== null; claim = claim.after) claims.push(claim);
  }

  some(test: (claim: C) => boolean): boolean {
    for (let claim = this.#first; claim !== null; claim = claim.after) if (test(claim)) return true;
    return false;
  }

  *[Symbol.iterator](): Generator<C, void> {
    for (let claim = this.#first; claim !== null; claim = claim.after) yield claim;
  }
}
