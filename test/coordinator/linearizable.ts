/** One call of a register that holds a number. */
export interface Operation {
  readonly kind: 'read' | 'write' | 'increment';
  readonly written: number;
  readonly began: number;
  /** Infinity: nobody knows whether it took effect, or when. */
  ended: number;
  /** What it gave; null where nobody knows. */
  result: number | null;
}

/** States that are looked at before a history counts as too hard; none was ever near. */
const MOST_STATES = 2_000_000;

/**
 * Whether calls, some at once, can be put in one order that agrees with their times and results; null if so, else where
 * no way led on. Wing and Gong's search, with the states remembered that led nowhere, cut where nothing is under way.
 */
export function unorderable(history: readonly Operation[]): unknown {
  const sorted = [...history].sort((a, b) => a.began - b.began);
  let values = new Set([0]);
  for (const part of parts(sorted)) {
    const next = new Set<number>();
    for (const value of values) for (const each of search(part, value)) next.add(each);
    if (next.size === 0) return { before: [...values], part };
    values = next;
  }
  return null;
}

/** Pieces between which no call was under way. */
function parts(sorted: readonly Operation[]): Operation[][] {
  const all: Operation[][] = [];
  let part: Operation[] = [];
  let latest = -Infinity;
  for (const operation of sorted) {
    if (operation.began > latest && part.length > 0) {
      all.push(part);
      part = [];
    }
    part.push(operation);
    latest = Math.max(latest, operation.ended);
  }
  if (part.length > 0) all.push(part);
  return all;
}

/** The values that may be there after all of them, where the register held `start`. */
function search(part: readonly Operation[], start: number): Set<number> {
  const finals = new Set<number>();
  const seen = new Set<string>();
  const stack: { done: bigint; value: number }[] = [{ done: 0n, value: start }];
  const all = (1n << BigInt(part.length)) - 1n;
  const open = part.reduce((bits, { ended }, at) => (ended === Infinity ? bits | (1n << BigInt(at)) : bits), 0n);
  while (stack.length > 0) {
    const state = stack.pop();
    if (state === undefined) break;
    const key = `${state.done.toString(36)} ${state.value}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > MOST_STATES) throw new Error('this history is too hard to check');
    // What nobody knows may never have happened.
    if ((state.done | open) === all) finals.add(state.value);
    const bound = part.reduce((least, { ended }, at) => ((state.done >> BigInt(at)) & 1n ? least : Math.min(least, ended)), Infinity);
    part.forEach((operation, at) => {
      if ((state.done >> BigInt(at)) & 1n || operation.began > bound) return;
      const value = after(operation, state.value);
      if (value !== null) stack.push({ done: state.done | (1n << BigInt(at)), value });
    });
  }
  return finals;
}

/** Null: it cannot have come here. */
function after({ kind, written, result }: Operation, value: number): number | null {
  if (kind === 'read') return result === null || result === value ? value : null;
  if (kind === 'write') return written;
  return result === null || result === value + 1 ? value + 1 : null;
}
