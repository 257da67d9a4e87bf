import { TooManyBucketsError } from '../../disk/buckets/register.ts';
import { errorMessage, isDOMException, withCause } from '../../runtime/errors.ts';
import { HoldfastError, type HoldfastErrorCode } from '../../runtime/holdfast-error.ts';
import { isOutOfReach } from '../../runtime/out-of-reach.ts';
import { domException, type DOMExceptionName } from '../../webidl/dom-exception.ts';
import { QuotaExceededError } from '../../webidl/quota-exceeded-error.ts';

const names: Readonly<Partial<Record<HoldfastErrorCode, DOMExceptionName>>> = {
  closed: 'InvalidStateError',
  'session-lost': 'InvalidStateError',
  'root-read-only': 'NoModificationAllowedError',
};

/** What a bucket's own methods reject with; one that is gone is an UnknownError, as in Chromium. */
export function asBucketError(error: unknown): unknown {
  if (isDOMException(error)) return error;
  const code = error instanceof HoldfastError ? error.code : 'disk-failed';
  if (code === 'disk-full' || error instanceof TooManyBucketsError) return withCause(new QuotaExceededError(errorMessage(error)), error);
  return domException(names[code] ?? (isOutOfReach(code) ? 'SecurityError' : 'UnknownError'), errorMessage(error), error);
}

/** What the manager's reject with: a client that was closed has no storage shelf. https://wicg.github.io/storage-buckets/#storage-bucket-open */
export function asShelfError(error: unknown): unknown {
  const isClosed = error instanceof HoldfastError && error.code === 'closed';
  return isClosed ? new TypeError(error.message, { cause: error }) : asBucketError(error);
}

/** What `getDirectory()` rejects with: one that is gone is an InvalidStateError, as in Chromium. */
export function asDirectoryError(error: unknown): unknown {
  const isGone = error instanceof HoldfastError && error.code === 'bucket-deleted';
  return isGone ? domException('InvalidStateError', error.message, error) : asBucketError(error);
}
