import { groupBy, overlaps } from './exclusion.ts';
import type { History } from './history.ts';
import { explain, type Unexplained } from './linearizability.ts';
import type { Limit } from './model.ts';

/** The realm that reads everything once all others have ended. */
export const VERIFIER = 'verifier';

/** What a history shows that must not be; each a sentence. */
export interface Violations {
  /** What was told fits no order of the operations. */
  readonly order: string[];
  /** What was acknowledged is not there in the end, or something is that was removed. */
  readonly survival: string[];
  /** Locks that excluded each other were held at once. */
  readonly exclusion: string[];
  /** Operations that failed though nothing was wrong. */
  readonly failures: string[];
}

/** `limitOf` tells how much each object may hold. */
export function check(history: History, limitOf: (object: string) => Limit | undefined = () => undefined): Violations {
  const unexplained = [...groupBy(history.operations, ({ object }) => object)]
    .map(([object, operations]) => explain(operations, limitOf(object)))
    .filter((each) => each !== null);
  const inTheEnd = (each: Unexplained): boolean => each.operation.id.startsWith(`${VERIFIER}:`);
  return {
    order: unexplained.filter((each) => !inTheEnd(each)).map(describe),
    survival: unexplained.filter(inTheEnd).map(describe),
    exclusion: overlaps(history.locks).map(
      ({ first, second }) => `${first.lock}: ${second.id} got it at ${second.from} while ${first.id} held it (${first.from} to ${first.until})`,
    ),
    failures: [...history.failures],
  };
}

function describe({ object, operation, states, alongside }: Unexplained): string {
  const { id, action, result, called, ended } = operation;
  const others = alongside.map((other) => `${other.id} ${JSON.stringify(other.action)}`).join(', ') || 'nothing';
  return (
    `${object}: ${id} ${JSON.stringify(action)} told ${JSON.stringify(result)} (${called} to ${ended}), ` +
    `where the object may have held ${states.slice(0, 5).join(' or ')}; alongside: ${others}`
  );
}
