import { isFull } from '../disk/journal/disk-error.ts';
import { OverQuotaError } from '../disk/quota/ledger.ts';
import { RecordsUnavailableError } from '../disk/records/records-error.ts';
import { errorCode, errorMessage, isDOMException, withCause } from '../runtime/errors.ts';
import { HoldfastError, type HoldfastErrorCode } from '../runtime/holdfast-error.ts';
import { isOutOfReach } from '../runtime/out-of-reach.ts';
import { domException, type DOMExceptionName } from '../webidl/dom-exception.ts';
import { QuotaExceededError } from '../webidl/quota-exceeded-error.ts';

const holdfastErrors: Readonly<Partial<Record<HoldfastErrorCode, DOMExceptionName>>> = {
  'root-read-only': 'NoModificationAllowedError',
  'disk-unsupported': 'NotSupportedError',
  // Of one database, beside which others can be had.
  'root-newer': 'UnknownError',
  closed: 'InvalidStateError',
  'session-lost': 'AbortError',
};

/** What went wrong below, as a program may see it; `doing` says what was tried: `open a database`. */
export function asWebError(error: unknown, doing: string): DOMException {
  if (isDOMException(error)) return error;
  const message = `Failed to ${doing}: ${errorMessage(error)}`;
  if (error instanceof OverQuotaError) {
    const { quota, requested } = error;
    return withCause(new QuotaExceededError(message, requested > quota ? { quota, requested } : {}), error);
  }
  if (isFull(error) || errorCode(error) === 'ENOSPC') return withCause(new QuotaExceededError(message), error);
  return domException(nameFor(error), message, error);
}

function nameFor(error: unknown): DOMExceptionName {
  if (error instanceof RecordsUnavailableError) return 'NotSupportedError';
  if (error instanceof HoldfastError) return holdfastErrors[error.code] ?? (isOutOfReach(error.code) ? 'SecurityError' : 'UnknownError');
  return 'UnknownError';
}
