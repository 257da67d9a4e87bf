import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Claim } from './claims.ts';
import { Holding } from './holding.ts';

/** What a realm's session holds or waits for, by the sequence of the record that made each claim. */
export class Holdings {
  readonly #all = new Map<number, Holding>();
  #waiting = 0;
  /** Claims that were taken away while their bodies run on. */
  readonly #orphans = new Set<Holding>();

  get size(): number {
    return this.#all.size;
  }

  get isWaiting(): boolean {
    return this.#waiting > 0;
  }

  get hasOrphans(): boolean {
    return this.#orphans.size > 0;
  }

  get ids(): number[] {
    return [...this.#all.keys()];
  }

  has(holding: Holding): boolean {
    return this.#all.get(holding.id) === holding;
  }

  stateOf(id: number): Holding['state'] | undefined {
    return this.#all.get(id)?.state;
  }

  add(claim: Claim): Holding {
    const state = claim.state === 'refused' || claim.state === 'waiting' ? claim.state : 'held';
    const holding = new Holding(claim.session.id, claim.id, state);
    if (state !== 'refused') this.#all.set(holding.id, holding);
    if (state === 'waiting') this.#waiting++;
    return holding;
  }

  /** It is no longer one. */
  letGo(holding: Holding, state: Holding['state']): void {
    this.#all.delete(holding.id);
    if (holding.state === 'waiting') this.#waiting--;
    holding.state = state;
  }

  settle(id: number, held: boolean): void {
    const holding = this.#all.get(id);
    if (holding?.state !== 'waiting') return;
    if (held) this.#waiting--;
    else this.letGo(holding, 'waiting');
    holding.settle(held);
  }

  release(id: number): void {
    const holding = this.#all.get(id);
    if (holding !== undefined) this.letGo(holding, 'released');
  }

  lose(id: number, error: () => HoldfastError = sessionLost): void {
    const holding = this.#all.get(id);
    if (holding === undefined) return;
    this.letGo(holding, holding.state);
    if (holding.running) this.#orphans.add(holding);
    holding.lose(error);
  }

  loseAll(error?: () => HoldfastError): void {
    for (const id of this.ids) this.lose(id, error);
  }

  /** Takes out those that wait, for whoever then tells them why. */
  takeWaiting(): Holding[] {
    const waiting: Holding[] = [];
    for (const holding of this.#all.values()) if (holding.state === 'waiting') waiting.push(holding);
    for (const { id } of waiting) this.#all.delete(id);
    this.#waiting = 0;
    return waiting;
  }

  /** The body of an operation has ended, whether or not it still had its claim. */
  bodyEnded(holding: Holding): void {
    this.#orphans.delete(holding);
  }

  clear(): void {
    for (const holding of this.#all.values()) holding.state = 'released';
    this.#all.clear();
    this.#waiting = 0;
  }
}

/** The error of whatever relied on a session that others have ended. */
export function sessionLost(): HoldfastError {
  return new HoldfastError(
    'session-lost',
    'This realm did not answer for so long that others declared it dead: its locks were taken away and what it held is not valid any more',
  );
}

export function journalReplaced(): HoldfastError {
  return new HoldfastError('session-lost', 'The bucket was removed, replaced or restored under this realm: what it held there is not valid any more');
}
