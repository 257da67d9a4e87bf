import { beforeAll, describe, expect, it } from 'vitest';
import { VERIFIER } from '../check.ts';
import type { Action, History, Operation } from '../history.ts';
import { stressLong, type LongReport } from './drive.ts';
import { checkRound, endOf, type Round } from './round.ts';

/*
 * A round that was really run, and then the same with one thing broken, as if Holdfast had done it: each must be found.
 */

let report: LongReport;
let round: Round;

beforeAll(async () => {
  report = await stressLong({ writes: 1500, seed: Date.now() % 2 ** 31 });
  if (report.largest === null) throw new Error(`there is no round: ${report.violations.join('\n')}`);
  round = report.largest;
}, 240_000);

/** Of all objects that are not as they were; the others are checked once, as they are. */
function kindsFound(history: History): string[] {
  const [was, is] = [new Set(round.history.operations), new Set(history.operations)];
  const differing = [...was, ...is].filter((operation) => !was.has(operation) || !is.has(operation));
  const objects = new Set(differing.map(({ object }) => object));
  const ofThem = (operations: readonly Operation[]): Operation[] => operations.filter(({ object }) => objects.has(object));
  const violations = checkRound({ before: ofThem(round.before), history: { ...history, operations: ofThem(history.operations) } });
  return Object.entries(violations).flatMap(([kind, list]) => ((list as string[]).length > 0 ? [kind] : []));
}

function changed(change: (operation: Operation) => Operation | null): History {
  return { ...round.history, operations: round.history.operations.flatMap((operation) => change(operation) ?? []) };
}

/** Everything as it was, with something else instead of some operations. */
function instead(...pairs: (readonly [Operation, Partial<Operation>])[]): History {
  const others = new Map(pairs);
  return changed((operation) => (others.has(operation) ? { ...operation, ...others.get(operation) } : operation));
}

function found<T>(items: Iterable<T>, isIt: (item: T) => boolean): T {
  for (const item of items) if (isIt(item)) return item;
  throw new Error('the round has none of this kind');
}

function first<T>(items: Iterable<T>): T {
  return found(items, () => true);
}

const realmOf = ({ id }: Operation): string => id.slice(0, id.indexOf(':'));
const isRead = ({ action, object }: Operation): boolean => action.do === 'get' && object.endsWith('localStorage');

type SetOperation = Operation & { readonly action: Action & { readonly do: 'set' } };

function sets(): SetOperation[] {
  return round.history.operations.filter((operation): operation is SetOperation => operation.action.do === 'set');
}

/** The set that made what an operation read. */
function writeOf(read: Operation): SetOperation {
  return found(sets(), ({ action, object }) => action.value === read.result && object === read.object);
}

/** What a fresh process read in the end of items that were written in this round. */
function finalReads(): Operation[] {
  const written = new Set(sets().map(({ action }) => action.value));
  return round.history.operations.filter((read) => realmOf(read) === VERIFIER && isRead(read) && written.has(String(read.result)));
}

/** The first of some operations for which there is a final read of which something holds, and that read. */
function pairOf(operations: readonly Operation[], holds: (read: Operation, operation: Operation) => boolean): [Operation, Operation] {
  for (const operation of operations) {
    const read = finalReads().find((each) => holds(each, operation));
    if (read !== undefined) return [operation, read];
  }
  throw new Error('the round has none of this kind');
}

/** A final read with the set that made it, and one before that in the same map, which was accepted, of which something holds. */
function withEarlier(holds: (earlier: SetOperation, last: SetOperation) => boolean): { read: Operation; last: SetOperation; earlier: SetOperation } {
  for (const read of finalReads()) {
    const last = writeOf(read);
    const earlier = sets().find((set) => set.object === last.object && set.result === null && set.ended < last.called && holds(set, last));
    if (earlier !== undefined) return { read, last, earlier };
  }
  throw new Error('the round has none of this kind');
}

it('a run under kills, pauses and small quotas has no violation, and met all of them', () => {
  expect(report.violations).toEqual([]);
  expect(report.directory).toBeNull();
  const { writes, kills, pauses, terminations, full } = report.figures;
  expect(writes).toBeGreaterThanOrEqual(1500);
  expect(Math.min(kills, pauses, terminations, full)).toBeGreaterThan(0);
  expect(Object.values(checkRound(round)).flat()).toEqual([]);
});

describe('the checker finds', () => {
  it('an acknowledged write that is lost', () => {
    expect(kindsFound(instead([first(finalReads()), { result: null }]))).toContain('survival');
  });

  it('a survivor that does not agree with a fresh process', () => {
    const reads = round.history.operations.filter((read) => isRead(read) && realmOf(read) !== VERIFIER && read.result !== null);
    const byTime = reads.sort((a, b) => b.called - a.called);
    const [last, other] = pairOf(byTime, ({ result, object }, read) => result !== read.result && object === read.object);
    expect(kindsFound(instead([last, { result: other.result }]))).toContain('order');
  });

  it("a value of another key, which is another writer's", () => {
    const [one, other] = pairOf(finalReads(), (read, first) => read !== first && read.object === first.object);
    expect(kindsFound(instead([one, { result: other.result }]))).toContain('survival');
  });

  it('a value of another origin', () => {
    const [one, other] = pairOf(finalReads(), (read, first) => read.object !== first.object);
    expect(kindsFound(instead([one, { result: other.result }]))).toContain('survival');
  });

  it('two writes of one writer in the wrong order', () => {
    const { last, earlier } = withEarlier((set, last) => realmOf(set) === realmOf(last));
    const before = { ...earlier.action, key: last.action.key };
    expect(kindsFound(instead([earlier, { action: last.action }], [last, { action: before }]))).not.toEqual([]);
  });

  it('a write that comes a second time, after others', () => {
    const { read, earlier } = withEarlier((set, last) => set.action.key === last.action.key);
    expect(kindsFound(instead([read, { result: earlier.action.value }]))).toContain('survival');
  });

  it('a write that was accepted though it is larger than the quota', () => {
    const { action, object } = writeOf(first(finalReads()));
    const value = 'large+60000';
    const larger = changed((operation) => {
      if (operation.object !== object) return operation;
      if (operation.result === action.value) return { ...operation, result: value };
      return operation.action.do === 'set' && operation.action.value === action.value ? { ...operation, action: { ...action, value } } : operation;
    });
    expect(kindsFound(larger)).toContain('order');
  });

  it('a write that was refused though it takes less than what it replaces', () => {
    const { object, action } = first(finalReads());
    const key = action.do === 'get' ? action.key : '';
    const at = 1 + Math.max(...round.history.operations.map(({ called }) => called));
    const refused: Operation = { id: 'late:1', object, action: { do: 'set', key, value: '+0' }, called: at, ended: at, result: false };
    expect(kindsFound({ ...round.history, operations: [...round.history.operations, refused] })).toEqual(['order']);
  });

  /** What was counted, in the order of time. */
  function counted(): SetOperation[] {
    const ofCounter = sets().filter(({ object, result }) => object.endsWith('counter item-1') && result === null);
    return ofCounter.sort((a, b) => a.called - b.called);
  }

  it('a number that is counted twice', () => {
    const [one, next] = [first(counted()), first(counted().slice(1))];
    expect(kindsFound(instead([next, { action: one.action }]))).toContain('counting');
  });

  it('a number that nobody counted', () => {
    const lost = first(counted().slice(1));
    expect(kindsFound(changed((operation) => (operation === lost ? null : operation)))).toContain('counting');
  });

  it('a lock that two hold at once', () => {
    const intruder = { ...first(round.history.locks), id: 'other:1', mode: 'exclusive' } as const;
    expect(kindsFound({ ...round.history, locks: [...round.history.locks, intruder] })).toEqual(['exclusion']);
  });
});

it('the end of a round is the beginning of the next', () => {
  const before = endOf(round.history);
  const fresh = round.history.operations.filter((operation) => realmOf(operation) === VERIFIER);
  const next: Round = { before, history: { ...round.history, operations: fresh, locks: [], failures: [] } };
  expect(Object.values(checkRound(next)).flat()).toEqual([]);
  const forgetful: Round = { ...next, before: before.slice(0, -1) };
  expect(Object.values(checkRound(forgetful)).flat()).not.toEqual([]);
});
