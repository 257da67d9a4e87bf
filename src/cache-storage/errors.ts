import { systemCode } from '../disk/journal/disk-error.ts';
import { OverQuotaError } from '../disk/quota/ledger.ts';
import { isShortage } from '../runtime/descriptors.ts';
import { errorMessage, withCause } from '../runtime/errors.ts';
import { HoldfastError, type HoldfastErrorCode } from '../runtime/holdfast-error.ts';
import { isOutOfReach } from '../runtime/out-of-reach.ts';
import { isBeyondSizeLimit } from '../runtime/size-limit.ts';
import { domException, type DOMExceptionName } from '../webidl/dom-exception.ts';
import { QuotaExceededError, type QuotaExceededErrorOptions } from '../webidl/quota-exceeded-error.ts';

const names: Readonly<Partial<Record<HoldfastErrorCode, DOMExceptionName>>> = {
  closed: 'InvalidStateError',
  'session-lost': 'InvalidStateError',
  'root-read-only': 'NoModificationAllowedError',
};

const full = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Holds what a body failed with, which is its owner's and passes as it is. */
export class BodyFailure {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}

/** What the web is told of an error from below; what is the web's already passes through. */
export function webError(error: unknown, context: string): unknown {
  if (error instanceof BodyFailure) return error.reason;
  if (error instanceof OverQuotaError) return overQuota(`${context}: ${error.message}.`, error, { quota: error.quota, requested: error.requested });
  if (error instanceof HoldfastError) return ofHoldfast(error, context);
  const code = systemCode(error);
  if (full.has(code) || isBeyondSizeLimit(error)) return overQuota(`${context}: the disk is full.`, error);
  if (isShortage(error)) return domException('InvalidStateError', `${context}: too many files are open.`, error);
  if (code === 'EDAMAGED') return domException('UnknownError', `${context}: what is on the disk is not what was written there (${errorMessage(error)}).`, error);
  return /^E[A-Z0-9]+$/.test(code) ? domException('UnknownError', `${context}: the disk failed (${code}).`, error) : error;
}

function ofHoldfast(error: HoldfastError, context: string): DOMException {
  const message = `${context}: ${error.message}`;
  if (error.code === 'disk-full') return overQuota(message, error);
  if (isShortage(error.cause)) return domException('InvalidStateError', message, error);
  return domException(names[error.code] ?? (isOutOfReach(error.code) ? 'SecurityError' : 'UnknownError'), message, error);
}

/** Without numbers where it is the disk that is full. */
function overQuota(message: string, cause: unknown, numbers?: QuotaExceededErrorOptions): DOMException {
  return withCause(new QuotaExceededError(message, numbers), cause);
}
