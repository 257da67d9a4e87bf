import { ClaimList, type Linked } from '../disk/locks/claim-list.ts';
import type { Locator } from '../disk/locator.ts';

/** What others wait for. Settled when it has ended, and whatever it waited for with it. */
export interface Wait {
  readonly ended: Promise<unknown>;
  /** When it began to stand for all that concerned its place: a number that grows with each. */
  readonly order: number;
}

/** A place in the tree of names that an operation or a claim is on, or above one; dropped when it is neither. */
export interface Spot extends Linked<Spot> {
  readonly parent: Spot | null;
  readonly name: string;
  /** Null until the first. */
  below: Map<string, Spot> | null;
  /** Those of them at or below which operations are, in the order of the last one that came there. */
  readonly busy: ClaimList<Spot>;
  /** Operations here and below. */
  operations: number;
  /** The order of the last of them, since the spot is there. */
  lastOrder: number;
  /** The last operation on this very place. It has waited for all before it, here, above and below. */
  last: Wait | null;
  /** What whoever asked last was given to wait for; of meaning only while there are operations. */
  asked: Wait | null;
  /** How many claims name this very place, and how many this or one below. */
  claims: number;
  claimsWithin: number;
}

export function createSpot(parent: Spot | null, name: string): Spot {
  return {
    parent,
    name,
    below: null,
    busy: new ClaimList(),
    before: null,
    after: null,
    operations: 0,
    lastOrder: -1,
    last: null,
    asked: null,
    claims: 0,
    claimsWithin: 0,
  };
}

/** The spot of a place, made where it is missing; to be counted in at once. */
export function reach(root: Spot, place: Locator): Spot {
  let spot = root;
  for (const name of place) {
    const below: Map<string, Spot> = (spot.below ??= new Map());
    let next = below.get(name);
    if (next === undefined) below.set(name, (next = createSpot(spot, name)));
    spot = next;
  }
  return spot;
}

/** The spots on the way to a place and its own, as far as there are any. */
export function* wayTo(root: Spot, place: Locator): Generator<Spot, void> {
  let spot: Spot | undefined = root;
  yield spot;
  for (const name of place) {
    spot = spot.below?.get(name);
    if (spot === undefined) return;
    yield spot;
  }
}

export function enterSpot(spot: Spot, operation: Wait): void {
  spot.last = operation;
  for (let above: Spot | null = spot; above !== null; above = above.parent) {
    if (above.operations > 0) above.parent?.busy.remove(above);
    above.parent?.busy.push(above);
    above.lastOrder = operation.order;
    above.operations++;
  }
}

export function leaveSpot(spot: Spot, operation: Wait): void {
  if (spot.last === operation) spot.last = null;
  for (let above: Spot | null = spot; above !== null; above = above.parent) {
    above.operations--;
    if (above.operations > 0) continue;
    above.asked = null;
    above.parent?.busy.remove(above);
    dropUnused(above);
  }
}

export function claimSpot(spot: Spot): void {
  spot.claims++;
  for (let above: Spot | null = spot; above !== null; above = above.parent) above.claimsWithin++;
}

export function unclaimSpot(spot: Spot): void {
  spot.claims--;
  for (let above: Spot | null = spot; above !== null; above = above.parent) {
    above.claimsWithin--;
    dropUnused(above);
  }
}

function dropUnused(spot: Spot): void {
  if (spot.operations === 0 && spot.claimsWithin === 0) spot.parent?.below?.delete(spot.name);
}

/** Adds the operations below a spot that began after the order `since`, but for those that another one stands for. */
export function collectBelow(spot: Spot, since: number, found: Set<Wait>): void {
  for (let next = spot.busy.last; next !== null && next.lastOrder > since; next = next.before) {
    const { last } = next;
    if (last === null || last.order <= since) {
      collectBelow(next, since, found);
    } else {
      found.add(last);
      collectBelow(next, last.order, found);
    }
  }
}
