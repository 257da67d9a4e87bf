import { check, VERIFIER, type Violations } from '../check.ts';
import type { Action, History, Operation, Result } from '../history.ts';
import { miscounts } from './counters.ts';
import { limitOf } from './plan.ts';

/*
 * What is checked at once: what all realms did between two rests. It begins with what the verifier read at the end of
 * the round before, as if somebody had written it, so that each round is a history of objects that were empty.
 */

export interface RoundViolations extends Violations {
  /** Counters that miss a number, or have one twice. */
  readonly counting: string[];
}

/** What all did, and what `endOf` gave of the round before. */
export interface Round {
  readonly history: History;
  readonly before: readonly Operation[];
}

export function checkRound({ history, before }: Round): RoundViolations {
  const whole = { ...history, operations: [...before, ...history.operations] };
  return { ...check(whole, limitOf), counting: miscounts(whole, VERIFIER) };
}

/** Writes that were acknowledged, and had an effect. */
export function countWrites({ operations }: History): number {
  return operations.filter(isWrite).length;
}

/** Writes to localStorage that were refused for want of room, which the model agrees with, and all others. */
export function countFull({ operations, full }: History): number {
  return full + operations.filter(({ action, result }) => action.do === 'set' && result === false).length;
}

function isWrite({ action, result }: Operation): boolean {
  if (result === undefined || result === false) return false;
  return ['set', 'remove', 'clear', 'replace', 'move', 'rmtree'].includes(action.do);
}

/** What the verifier read, as operations that write it. */
export function endOf(history: History): Operation[] {
  const made: Operation[] = [];
  const make = (object: string, action: Action, result: Result): void => {
    const at = made.length + 1;
    made.push({ id: `before:${at}`, object, action, called: at, ended: at, result });
  };
  for (const { id, object, action, result } of history.operations) {
    if (!id.startsWith(`${VERIFIER}:`) || result === null || result === undefined) continue;
    const isTree = object.endsWith(' files');
    if (action.do === 'list' && isTree) for (const key of result as string[]) make(object, { do: key === 't' ? 'mkdir' : 'create', key }, true);
    if (action.do !== 'get' || result === '') continue;
    const { key } = action;
    const value = String(result);
    if (isTree) make(object, { do: 'replace', key, value }, true);
    else make(object, { do: 'set', key, value }, null);
  }
  return made;
}
