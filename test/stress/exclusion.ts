import type { HeldLock } from './history.ts';

/** Two holders of one lock at the same time, of whom one at least had it for itself. */
export interface Overlap {
  readonly first: HeldLock;
  readonly second: HeldLock;
}

/** Every pair of neighbours that overlaps though one is exclusive. */
export function overlaps(locks: readonly HeldLock[]): Overlap[] {
  const found: Overlap[] = [];
  for (const holders of groupBy(locks, (held) => held.lock).values()) found.push(...overlapsOfOne(holders));
  return found;
}

function overlapsOfOne(holders: readonly HeldLock[]): Overlap[] {
  const found: Overlap[] = [];
  /** Of those that began before, the ones that lasted longest. */
  let exclusive: HeldLock | undefined;
  let shared: HeldLock | undefined;
  for (const held of [...holders].sort((a, b) => a.from - b.from)) {
    const inTheWay = held.mode === 'shared' ? [exclusive] : [exclusive, shared];
    for (const first of inTheWay) if (first !== undefined && first.until > held.from) found.push({ first, second: held });
    if (held.mode === 'exclusive') exclusive = longest(exclusive, held);
    else shared = longest(shared, held);
  }
  return found;
}

function longest(one: HeldLock | undefined, other: HeldLock): HeldLock {
  return one !== undefined && one.until > other.until ? one : other;
}

export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group === undefined) groups.set(keyOf(item), [item]);
    else group.push(item);
  }
  return groups;
}
