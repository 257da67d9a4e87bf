import type { Chain } from './chain.ts';
import type { ClientTable } from './client-table.ts';
import type { Confirmed } from './confirmed-tail.ts';
import type { Incarnation } from './incarnation.ts';
import type { Operation } from './operation.ts';
import type { Numbered, PendingQueue } from './pending-queue.ts';

/** What a replica has of its own when its base is replaced. */
export interface Own {
  readonly pending: PendingQueue;
  readonly tail: readonly Confirmed[];
  /** Of the new base. */
  readonly clients: ClientTable;
  /** Whether it is certain that nothing of what is pending was ever sent. */
  readonly isUnsent: boolean;
}

export interface Reconciled {
  /** Pending from now on: what the new base has not seen. */
  readonly left: Numbered[];
  /** Of what was pending, what nobody can say any more whether it had its turn, or how that ended. */
  readonly unknown: Operation[];
  readonly tail: Confirmed[];
}

/** (11, 12) Tells what of a replica's own a new base has not seen; the `tail` before what is pending. */
export function reconcile(own: Own): Reconciled {
  const { pending, tail, clients } = own;
  const lostTail = tail.filter((item) => isForgotten(item, own));
  const left = [...lostTail.map((item, at) => again(item, at, tail, lostTail, clients)), ...leftOf(own)];
  const unknown = Array.from(pending).filter((item) => !isLeft(item, own)).map(({ operation }) => operation);
  const isKnown = knownBy(own);
  const stays = (item: Confirmed): boolean => !lostTail.includes(item) && isKnown(item.incarnation);
  return { left, unknown, tail: [...tail.filter(stays), ...confirmedOf(own)] };
}

/**
 * What was pending, and has had its turn as a part of this replica's own history. Without it the tail would end before
 * what the order has, as if a copy of this replica had gone on.
 */
function confirmedOf({ pending, clients }: Own): Confirmed[] {
  const confirmed: Confirmed[] = [];
  for (const incarnation of pending.incarnations) {
    const last = clients.last(incarnation);
    const end = pending.indexOf(incarnation, last.number);
    if (end < 0 || pending.chainAt(end) !== last.chain) continue;
    for (let index = 0; index <= end; index++) {
      const item = pending.at(index);
      if (item?.incarnation !== incarnation) continue;
      const position = index === end ? last.position : 0;
      confirmed.push({ operation: item.operation, incarnation, number: item.number, chain: pending.chainAt(index), position });
    }
  }
  return confirmed;
}

/**
 * Whether the hub does not have what was confirmed once. What the table has forgotten, an older base may have, too; and
 * a copy may have begun with 1 again since: then the numbers that the table has are not those of the tail.
 */
function isForgotten({ incarnation, number, position }: Confirmed, own: Own): boolean {
  const { clients } = own;
  const isBeyond = clients.horizon === 0 || position > clients.horizon;
  if (!clients.knows(incarnation)) return isBeyond;
  return number > clients.last(incarnation).number && (isBeyond || isOwnHistory(incarnation, own));
}

/** Whether it is certain that what is pending has had no turn. */
function isLeft({ incarnation, number }: Numbered, own: Own): boolean {
  const { clients, isUnsent } = own;
  // A copy may have begun with 1 again after the incarnation was forgotten: then its numbers say nothing about these.
  if (clients.knows(incarnation)) return number > clients.last(incarnation).number && (clients.horizon === 0 || isOwnHistory(incarnation, own));
  return isUnsent || clients.horizon === 0;
}

/** What was confirmed is pending again. */
function again(item: Confirmed, at: number, tail: readonly Confirmed[], lost: readonly Confirmed[], clients: ClientTable): Numbered {
  const { operation, incarnation, number } = item;
  const numbered = { operation, incarnation, number, ticket: 0 };
  const before = tail[tail.indexOf(item) - 1];
  const follows = before?.incarnation === incarnation && before.number === number - 1;
  if (before === undefined || !follows) return { ...numbered, previous: clients.last(incarnation).chain };
  return { ...numbered, previous: lost[at - 1] === before ? null : before.chain };
}

/** Each says what comes before it where that is not left. */
function leftOf(own: Own): Numbered[] {
  const left: Numbered[] = [];
  let before: Numbered | null = null;
  let index = 0;
  for (const item of own.pending) {
    const isKept = isLeft(item, own);
    if (isKept) left.push(before === null ? { ...item, previous: own.pending.chainBefore(index) } : item);
    before = isKept ? item : null;
    index += 1;
  }
  return left;
}

/** Whether what the order has of an incarnation is where this replica came by. */
function isOwnHistory(incarnation: Incarnation, { pending, tail, clients }: Own): boolean {
  const { number, chain } = clients.last(incarnation);
  const next = pending.indexOf(incarnation, number + 1);
  if (next >= 0 && pending.chainBefore(next) === chain) return true;
  return tail.some((item) => item.incarnation === incarnation && item.chain === chain);
}

/**
 * Whether the last operation that the order has of an incarnation is one of these. Otherwise it knows later ones than
 * this replica: its disk was restored, or copied.
 */
function knownBy({ pending, tail, clients }: Own): (incarnation: Incarnation) => boolean {
  const chains = new Set<Chain>(tail.map(({ chain }) => chain));
  return (incarnation) => {
    const { number, chain } = clients.last(incarnation);
    const index = pending.indexOf(incarnation, number);
    return chains.has(chain) || (index >= 0 && pending.chainAt(index) === chain);
  };
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
