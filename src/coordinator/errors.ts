import { HoldfastError } from '../runtime/holdfast-error.ts';
import type { HoldfastErrorCode } from '../runtime/holdfast-error.ts';

/** What became of the call: nothing of it happened; all of it; some turns of it; or nobody can say. */
export type Outcome = 'not-run' | 'ran' | 'partial' | 'unknown';

export interface CoordinatorErrorOptions {
  readonly outcome: Outcome;
  readonly retryable?: boolean;
  readonly overloaded?: boolean;
  readonly cause?: unknown;
}

/** What calls of coordinators fail with, where it is not the coordinator's own code that throws. */
export class CoordinatorError extends HoldfastError {
  readonly outcome: Outcome;
  /** Whether the same call may succeed later without having run twice. */
  readonly retryable: boolean;
  /** Whether the coordinator has more to do than it can: callers should wait longer before they try again. */
  readonly overloaded: boolean;
  /** True for what the coordinator's own code has thrown, which is no CoordinatorError; see docs/COORDINATORS.md. */
  readonly remote = false;

  constructor(code: HoldfastErrorCode, message: string, { outcome, retryable = outcome === 'not-run', overloaded = false, cause }: CoordinatorErrorOptions) {
    super(code, message, cause === undefined ? {} : { cause });
    this.outcome = outcome;
    this.retryable = retryable;
    this.overloaded = overloaded;
  }
}

/** Whoever was called does not run the coordinator, or has lost it before it could answer: it has to be asked elsewhere. */
export class MovedError extends Error {
  /** Whether whoever was asked has ended or hangs, so that nobody can say what it did before. */
  readonly isLost: boolean;

  constructor(isLost = false) {
    super(isLost ? 'Whoever ran the coordinator has ended, or hangs.' : 'The coordinator runs elsewhere.');
    this.isLost = isLost;
  }
}

/** A coordinator, as messages name it. */
export function shown({ className, name }: { readonly className: string; readonly name: string }): string {
  return `${className} '${name.length <= 64 ? name : `${name.slice(0, 64)}…`}'`;
}
