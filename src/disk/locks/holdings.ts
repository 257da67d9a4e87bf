import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { Paced } from '../../runtime/paced.ts';
import type { Claim, WebClaim } from './claims.ts';
import { Holding } from './holding.ts';

/** Of claims that one record ended, what is done in a turn of the event loop. */
const SHARE = { items: 256, milliseconds: Infinity };

/** What a realm's session holds or waits for, by the sequence of the record that made each claim. */
export class Holdings {
  #all = new Map<number, Holding>();
  #waiting = 0;
  readonly #granting = new Paced<WebClaim>((claim) => {
    if (this.#of(claim) !== undefined) this.settle(claim.id, true);
  }, SHARE);
  readonly #releasing = new Paced<Claim>((claim) => {
    const holding = this.#of(claim);
    if (holding !== undefined) this.letGo(holding, 'released');
  }, SHARE);
  readonly #losing = new Paced<Claim>((claim) => {
    const holding = this.#of(claim);
    if (holding !== undefined) this.#lose(holding, sessionLost);
  }, SHARE);
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

  /** It was granted, maybe together with many: what is known of it follows by and by. */
  grantSoon(claim: WebClaim): void {
    this.#granting.add(claim);
  }

  /** They ended together, and nobody has to be told: what is known of each follows by and by. */
  releaseSoon(claims: readonly Claim[]): void {
    for (const claim of claims) this.#releasing.add(claim);
  }

  /** They were taken away together: whoever holds each is told by and by. */
  loseSoon(claims: readonly Claim[]): void {
    for (const claim of claims) this.#losing.add(claim);
  }

  #lose(holding: Holding, error: () => HoldfastError): void {
    this.letGo(holding, holding.state);
    if (holding.running) this.#orphans.add(holding);
    holding.lose(error);
  }

  lose(id: number): void {
    const holding = this.#all.get(id);
    if (holding !== undefined) this.#lose(holding, sessionLost);
  }

  loseAll(error: () => HoldfastError = sessionLost): void {
    for (const holding of [...this.#all.values()]) this.#lose(holding, error);
  }

  /** The same id may be one of a later session. */
  #of({ id, session }: Claim): Holding | undefined {
    const holding = this.#all.get(id);
    return holding?.session === session.id ? holding : undefined;
  }

  /** Takes out those that wait, for whoever then tells them why. */
  takeWaiting(): Holding[] {
    const waiting: Holding[] = [];
    const all = this.#all;
    this.#all = new Map();
    for (const [id, holding] of all) {
      if (holding.state === 'waiting') waiting.push(holding);
      else this.#all.set(id, holding);
    }
    this.#waiting = 0;
    return waiting;
  }

  /** All of them end. `error` is for whoever still waits, and is told by and by. */
  abandon(error: () => HoldfastError): void {
    const ended = new Paced<Holding>((holding) => {
      if (holding.state === 'waiting') holding.lose(error);
      else holding.state = 'released';
    }, SHARE);
    for (const holding of this.#all.values()) ended.add(holding);
    this.#all = new Map();
    this.#waiting = 0;
  }

  /** The body of an operation has ended, whether or not it still had its claim. */
  bodyEnded(holding: Holding): void {
    this.#orphans.delete(holding);
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
