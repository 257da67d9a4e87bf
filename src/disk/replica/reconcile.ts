import type { ClientTable } from './client-table.ts';
import type { Confirmed } from './confirmed-tail.ts';
import { Fates } from './fates.ts';
import type { Fate, Own } from './fates.ts';
import type { Incarnation } from './incarnation.ts';
import type { Operation } from './operation.ts';
import type { Numbered } from './pending-queue.ts';

export interface Reconciled {
  /** Pending from now on: what the new base has not seen. */
  readonly left: Numbered[];
  /** Of what was pending, what nobody can say any more whether it had its turn, or how that ended. */
  readonly unknown: Operation[];
  /** Of what was confirmed, what nobody can say any more whether the hub has it still. */
  readonly doubtful: Operation[];
  readonly tail: Confirmed[];
  /** Whether what is left of an incarnation follows the last operation that the new base has of it. */
  goesOn(incarnation: Incarnation): boolean;
}

/** (11, 12) Tells what of a replica's own a new base has not seen; the tail before what is pending. */
export function reconcile(own: Own): Reconciled {
  const fates = new Fates(own);
  const tail = own.tail.map((item, index) => fates.ofConfirmed(item, index));
  const pending = Array.from(own.pending, (item, index) => fates.ofPending(item, index));
  return {
    left: [...againOf(own, tail), ...leftOf(own, pending)],
    unknown: Array.from(own.pending, ({ operation }) => operation).filter((_, index) => pending[index] !== 'left'),
    doubtful: own.tail.filter((_, index) => tail[index] === 'unknown').map(({ operation }) => operation),
    tail: [...own.tail.filter((_, index) => tail[index] === 'taken'), ...confirmedOf(own, pending)],
    goesOn: (incarnation) => fates.endsWithOwn(incarnation),
  };
}

/** What was confirmed, and is pending again. */
function againOf({ tail, clients }: Own, fates: readonly Fate[]): Numbered[] {
  const again: Numbered[] = [];
  tail.forEach((item, index) => {
    if (fates[index] !== 'left') return;
    const { operation, incarnation, number } = item;
    const before = tail[index - 1];
    const follows = before?.incarnation === incarnation && before.number === number - 1;
    const previous = follows ? before.chain : clients.last(incarnation).chain;
    again.push({ operation, incarnation, number, ticket: 0, previous: follows && fates[index - 1] === 'left' ? null : previous });
  });
  return again;
}

/** Each says what comes before it where that is not left. */
function leftOf({ pending }: Own, fates: readonly Fate[]): Numbered[] {
  const left: Numbered[] = [];
  let index = 0;
  for (const item of pending) {
    const isFirst = fates[index - 1] !== 'left';
    if (fates[index] === 'left') left.push(isFirst ? { ...item, previous: pending.chainBefore(index) } : item);
    index += 1;
  }
  return left;
}

/**
 * What was pending, and has had its turn. Without it the tail would end before what the order has, as if a copy of this
 * replica had gone on.
 */
function confirmedOf({ pending, clients }: Own, fates: readonly Fate[]): Confirmed[] {
  const confirmed: Confirmed[] = [];
  let index = 0;
  for (const { operation, incarnation, number } of pending) {
    if (fates[index] === 'taken') {
      const last = clients.last(incarnation);
      const position = number === last.number ? last.position : 0;
      confirmed.push({ operation, incarnation, number, chain: pending.chainAt(index), position });
    }
    index += 1;
  }
  return confirmed;
}

/** Whether all that is pending, and what comes after it in the newest incarnation, can be confirmed under its numbers. */
export function isContinuous(items: readonly Numbered[], { clients, incarnation }: { clients: ClientTable; incarnation: Incarnation }): boolean {
  let before: Numbered | undefined;
  for (const item of items) {
    const follows = before?.incarnation === item.incarnation;
    if (follows ? item.number !== (before?.number ?? 0) + 1 : !isNext(item, clients)) return false;
    // Operations to come are numbered as this one: nothing of another incarnation may stand between.
    if (!follows && before?.incarnation === incarnation) return false;
    before = item;
  }
  return true;
}

function isNext({ incarnation, number, previous }: Numbered, clients: ClientTable): boolean {
  const last = clients.last(incarnation);
  return number === last.number + 1 && previous === last.chain;
}
