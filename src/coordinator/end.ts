import { CoordinatorError, MovedError } from './errors.ts';
import type { Outcome } from './errors.ts';
import type { Event } from './event.ts';
import type { PendingTurn } from './turn.ts';

/** Why an instance has come to its end. */
export interface End {
  readonly message: string;
  /** Undefined: it was deposed, and whoever owns now is to be asked. */
  readonly turn?: 'void' | 'unknown';
  /** Whether what was on its way has come to nothing for sure; else it may come to be there, though nobody waits for it. */
  readonly isProven?: boolean;
  /** Whether its own code has given it up, in an event that is not the only one of the turn. */
  readonly isGivenUp?: boolean;
  /** Whether it could not begin, and could no better elsewhere. */
  readonly isFirst?: boolean;
  readonly cause?: unknown;
}

/** What the end means to an event, or to what is part of none: a MovedError where it can as well begin elsewhere. */
export function errorOf(end: End, event: Event | null, pending: PendingTurn): MovedError | CoordinatorError {
  const { message, turn, isGivenUp = false, isFirst = false, cause } = end;
  // What has not begun can as well begin elsewhere, and what was void here has not.
  if (turn === undefined || (event?.isRunning === false && !isFirst)) return new MovedError();
  // It has ended well, and what it came to went down with a neighbour's turn.
  if (isGivenUp && event !== null && event.fate !== null && !event.begun) return new MovedError();
  return new CoordinatorError('coordinator-reset', message, { outcome: outcomeOf(end, event, pending), cause });
}

function outcomeOf({ turn, isProven = false }: End, event: Event | null, pending: PendingTurn): Outcome {
  if (turn === 'unknown' && (event === null || pending.has(event))) return 'unknown';
  if (event === null || !event.begun) return 'not-run';
  if (pending.hasSurelyBegun(event)) return 'partial';
  return isProven ? 'not-run' : 'unknown';
}
