import { compareKeys, type EncodedKey } from './key.ts';
import type { Query } from './record-database.ts';

/** Where a scan begins or ends: at a key or behind it, or, with a primary key, at or behind one place of an index. */
export interface Edge {
  readonly key: EncodedKey;
  readonly primaryKey: EncodedKey | null;
  /** Behind it only, in the direction of the scan. */
  readonly isOpen: boolean;
}

/** The two ends of a scan, in its direction; null: all. */
export interface Edges {
  readonly start: Edge | null;
  readonly end: Edge | null;
}

export function isForward(query: Query): boolean {
  return query.direction === 'next' || query.direction === 'nextunique';
}

export function isUnique(query: Query): boolean {
  return query.direction === 'nextunique' || query.direction === 'prevunique';
}

export function edgesOf(query: Query): Edges {
  const { range } = query;
  const lower = range?.lower ? edge(range.lower, range.lowerOpen) : null;
  const upper = range?.upper ? edge(range.upper, range.upperOpen) : null;
  const forward = isForward(query);
  let start = forward ? lower : upper;
  const { after, from } = query;
  if (after === undefined && from === undefined) return { start, end: forward ? upper : lower };
  const order = forward ? compareKeys : (a: EncodedKey, b: EncodedKey) => compareKeys(b, a);
  const hasPlaces = query.index !== null && !isUnique(query);
  if (after) start = farther(start, edge(after.key, true, hasPlaces ? after.primaryKey : null), order);
  if (from) start = farther(start, edge(from.key, false, hasPlaces ? from.primaryKey : null), order);
  return { start, end: forward ? upper : lower };
}

function edge(key: EncodedKey, isOpen: boolean, primaryKey: EncodedKey | null = null): Edge {
  return { key, isOpen, primaryKey };
}

type Order = (a: EncodedKey, b: EncodedKey) => number;

function farther(a: Edge | null, b: Edge, order: Order): Edge {
  return a === null || compareEdges(a, b, order) < 0 ? b : a;
}

function compareEdges(a: Edge, b: Edge, order: Order): number {
  return order(a.key, b.key) || rank(a) - rank(b) || comparePlaces(a, b, order);
}

/** Among edges of one key: at all of its places, at one of them, behind all. */
function rank({ primaryKey, isOpen }: Edge): number {
  if (primaryKey !== null) return 1;
  return isOpen ? 2 : 0;
}

function comparePlaces(a: Edge, b: Edge, order: Order): number {
  if (a.primaryKey === null || b.primaryKey === null) return 0;
  return order(a.primaryKey, b.primaryKey) || Number(a.isOpen) - Number(b.isOpen);
}

/** The one key that a range has; null where it may have more. */
export function onlyKey(query: Query): EncodedKey | null {
  const { range } = query;
  if (range === null || range.lower === null || range.upper === null || range.lowerOpen || range.upperOpen) return null;
  return range.lower === range.upper || compareKeys(range.lower, range.upper) === 0 ? range.lower : null;
}
