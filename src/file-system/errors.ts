import { LockedError } from '../disk/locks/lock-table.ts';
import { OverQuotaError } from '../disk/quota/ledger.ts';
import { TreeError, toTreeError } from '../disk/tree/tree-error.ts';
import type { TreeErrorCode } from '../disk/tree/tree-error.ts';
import { isShortage } from '../runtime/descriptors.ts';
import { isDOMException, isTypeError, withCause } from '../runtime/errors.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import type { HoldfastErrorCode } from '../runtime/holdfast-error.ts';
import { isBeyondSizeLimit } from '../runtime/size-limit.ts';
import { domException } from '../webidl/dom-exception.ts';
import type { DOMExceptionName } from '../webidl/dom-exception.ts';
import { QuotaExceededError } from '../webidl/quota-exceeded-error.ts';
import type { QuotaExceededErrorOptions } from '../webidl/quota-exceeded-error.ts';
import type { Entry } from './entry.ts';
import type { Locator } from '../disk/locator.ts';

type ErrorName = DOMExceptionName | 'QuotaExceededError';

const treeErrors: Readonly<Record<TreeErrorCode, ErrorName>> = {
  'not-found': 'NotFoundError',
  'type-mismatch': 'TypeMismatchError',
  'not-empty': 'InvalidModificationError',
  'not-plain': 'NotAllowedError',
  exists: 'InvalidModificationError',
  'into-itself': 'InvalidModificationError',
  'too-long': 'NotSupportedError',
  'read-only': 'NoModificationAllowedError',
  unreadable: 'NotReadableError',
  'no-space': 'QuotaExceededError',
  elsewhere: 'NotReadableError',
  'not-in-place': 'InvalidStateError',
  damaged: 'NotReadableError',
  'too-many-open': 'InvalidStateError',
  io: 'UnknownError',
};

const holdfastErrors: Readonly<Partial<Record<HoldfastErrorCode, ErrorName>>> = {
  'root-read-only': 'NoModificationAllowedError',
  'disk-full': 'QuotaExceededError',
  closed: 'InvalidStateError',
  'bucket-deleted': 'InvalidStateError',
  'session-lost': 'InvalidStateError',
};

function named(name: ErrorName, message: string, cause: unknown): DOMException {
  return name === 'QuotaExceededError' ? overQuota(message, cause) : domException(name, message, cause);
}

/** Without numbers where it is the disk that is full. */
function overQuota(message: string, cause: unknown, numbers?: QuotaExceededErrorOptions): DOMException {
  return withCause(new QuotaExceededError(message, numbers), cause);
}

/**
 * What the web is told of an error from below: a DOMException that says what was asked and why not, with the operating
 * system's error as its cause. Errors that are the web's already pass through.
 */
export function webError(error: unknown, context: string): unknown {
  if (error instanceof LockedError) {
    return domException('NoModificationAllowedError', `${context}: ${error.message} by a handle or an operation.`, error);
  }
  if (error instanceof TreeError) {
    return named(treeErrors[error.code], `${context}: ${error.message}.`, error.cause ?? error);
  }
  if (error instanceof OverQuotaError) {
    const { quota, requested } = error;
    return overQuota(`${context}: ${error.message}.`, error, { quota, requested });
  }
  if (error instanceof HoldfastError) {
    // Too many open files are the same to a user, be it a file or a journal that could not be opened.
    const name = isShortage(error.cause) ? treeErrors['too-many-open'] : (holdfastErrors[error.code] ?? 'UnknownError');
    return named(name, `${context}: ${error.message}`, error.cause ?? error);
  }
  return isTypeError(error) || isDOMException(error) ? error : unknown(error, context);
}

/** Such as a runtime's own error without a code: the web has no better name for it. */
function unknown(error: unknown, context: string): DOMException {
  return domException('UnknownError', `${context}: ${String(error)}`, error);
}

/**
 * The same for an operation on what a handle refers to: an entry of the other kind in its place is as good as none.
 * https://fs.spec.whatwg.org/#locate-an-entry
 */
export function handleError(error: unknown, { kind, locator }: Entry, context: string): unknown {
  const isOther = error instanceof TreeError && error.code === 'type-mismatch';
  return isOther ? entryError('NotFoundError', context, locator, `is no ${kind} any longer`) : webError(error, context);
}

/** The same for an error of the operating system itself, met while doing something to the content of `file`. */
export function webErrorOf(error: unknown, file: Locator, access: 'read' | 'write', context: string): unknown {
  if (isBeyondSizeLimit(error)) {
    return named('QuotaExceededError', `${context}: '/${file.join('/')}' cannot become so large on this disk.`, error);
  }
  return webError(toTreeError(error, file, access), context);
}

/** The same for an error that is known by its name. */
export function entryError(name: DOMExceptionName, context: string, locator: Locator, reason: string): DOMException {
  return domException(name, `${context}: '/${locator.join('/')}' ${reason}.`);
}
