import type { ClientTable } from './client-table.ts';
import type { Confirmed } from './confirmed-tail.ts';
import type { Incarnation } from './incarnation.ts';
import type { Numbered, PendingQueue } from './pending-queue.ts';

/** What a replica has of its own when its base is replaced. */
export interface Own {
  readonly pending: PendingQueue;
  readonly tail: readonly Confirmed[];
  /** Of the base that goes. */
  readonly before: ClientTable;
  /** Of the new base. */
  readonly clients: ClientTable;
  /** Whether it is certain that nothing of what is pending was ever sent. */
  readonly isUnsent: boolean;
}

/** What a new base has made of an operation: it has had its turn there, it has not, or nobody can say. */
export type Fate = 'taken' | 'left' | 'unknown';

/**
 * Where an operation stands in its incarnation. An incarnation that the order forgets begins with 1 again: numbers say
 * something about each other within one of its lives only.
 */
interface Standing {
  readonly life: number;
  readonly number: number;
}

/**
 * (11, 12) Tells what a new base has of a replica's own: of the tail, which the old base had, and of what is pending. The
 * new base may be of the same log further on, or of a hub that was restored and went on; copies of this replica may
 * have gone on too, and of each incarnation it knows the last operation at most. It rests on these facts:
 *
 * - a chain tells a history from every other one: an incarnation whose last operation is one of this replica's own has
 *   had all of that life up to it, and nothing later;
 * - what had its turn above the horizon, in the same log, is not forgotten;
 * - where an operation of this replica's own is at its position, which it was given only once, the log is the same up
 *   to there; one of somebody else's proves nothing, who may have given it again;
 * - where nothing was ever forgotten, each incarnation has one life.
 */
export class Fates {
  readonly own: Own;
  readonly #common: number;
  /** Of the tail, and then of what is pending. */
  readonly #lives: readonly number[];
  /** Which one of this replica's operations is the last that the new base has of an incarnation; null: none of them. */
  readonly #last = new Map<Incarnation, Standing | null>();

  constructor(own: Own) {
    this.own = own;
    this.#common = commonPosition(own);
    this.#lives = livesOf(own);
  }

  /** Of an operation of the tail. */
  ofConfirmed(item: Confirmed, index: number): Fate {
    const { incarnation, number, position } = item;
    const { clients, before } = this.own;
    if (position > 0 && position <= this.#common) return 'taken';
    const isBeyond = clients.horizon === 0 || position > clients.horizon;
    if (!clients.knows(incarnation)) return isBeyond ? 'left' : 'unknown';
    const own = this.#compare(incarnation, { life: this.#lives[index] ?? 0, number });
    if (own !== null) return own;
    const last = clients.last(incarnation);
    if (number > last.number) return isBeyond ? 'left' : 'unknown';
    const isOfBefore = last.position > 0 && position > last.position;
    // Somebody who has the same disk went on from here.
    if (clients.horizon === 0 && !isOfBefore) return 'taken';
    // That had been forgotten before this had its turn.
    return isOfBefore && last.position <= before.horizon && position > before.horizon ? 'left' : 'unknown';
  }

  /** Of a pending operation. */
  ofPending({ incarnation, number }: Numbered, index: number): Fate {
    const { clients, tail, isUnsent } = this.own;
    const isRemembered = clients.horizon === 0;
    if (!clients.knows(incarnation)) return isUnsent || isRemembered ? 'left' : 'unknown';
    const own = this.#compare(incarnation, { life: this.#lives[tail.length + index] ?? 0, number });
    // A copy may have begun with 1 again after the incarnation was forgotten: then its numbers say nothing about these.
    return own ?? (isRemembered && number > clients.last(incarnation).number ? 'left' : 'unknown');
  }

  /** Whether the last operation that the new base has of an incarnation is one of this replica's. */
  endsWithOwn(incarnation: Incarnation): boolean {
    return this.own.clients.knows(incarnation) && this.#lastOf(incarnation) !== null;
  }

  /** By the last operation of its incarnation; null: that is none of this replica's. */
  #compare(incarnation: Incarnation, { life, number }: Standing): Fate | null {
    const last = this.#lastOf(incarnation);
    if (last === null) return null;
    if (life !== last.life) return life > last.life ? 'left' : 'unknown';
    return number > last.number ? 'left' : 'taken';
  }

  #lastOf(incarnation: Incarnation): Standing | null {
    let last = this.#last.get(incarnation);
    if (last === undefined) this.#last.set(incarnation, (last = this.#findLast(incarnation)));
    return last;
  }

  #findLast(incarnation: Incarnation): Standing | null {
    const { tail, pending, clients } = this.own;
    const { number, chain } = clients.last(incarnation);
    const confirmed = tail.findLastIndex((item) => item.incarnation === incarnation && item.chain === chain);
    if (confirmed >= 0) return { life: this.#lives[confirmed] ?? 0, number };
    const index = pending.indexOf(incarnation, number);
    if (index < 0 || pending.chainAt(index) !== chain) return null;
    return { life: this.#lives[tail.length + index] ?? 0, number };
  }
}

/** Up to where the new base is of the log that the tail is of, as far as can be seen; 0: nothing can. */
function commonPosition({ clients, tail }: Own): number {
  let common = 0;
  for (const { incarnation, chain, position } of tail) {
    const last = clients.last(incarnation);
    // The entry there may have had more, or less, in the other log.
    if (last.chain === chain && last.position === position) common = Math.max(common, position - 1);
  }
  return common;
}

/** Each number that does not go on from the one before begins another life of its incarnation. */
function livesOf({ tail, pending }: Own): number[] {
  const lives: number[] = [];
  const last = new Map<Incarnation, Standing>();
  for (const list of [tail, pending]) {
    for (const { incarnation, number } of list) {
      const before = last.get(incarnation) ?? { life: 0, number: number - 1 };
      const life = number === before.number + 1 ? before.life : before.life + 1;
      last.set(incarnation, { life, number });
      lives.push(life);
    }
  }
  return lives;
}
