import type { SetOutcome } from '../disk/map/map-area.ts';
import { withCause } from '../runtime/errors.ts';
import { HoldfastError, type HoldfastErrorCode } from '../runtime/holdfast-error.ts';
import { domException } from '../webidl/dom-exception.ts';
import { QuotaExceededError } from '../webidl/quota-exceeded-error.ts';

/** A method of Storage, as messages name it. */
export type Operation = 'length' | 'key' | 'getItem' | 'setItem' | 'removeItem' | 'clear';

const writes: readonly Operation[] = ['setItem', 'removeItem', 'clear'];
/** Reasons for which a value cannot be stored now but might be later, or elsewhere. */
const cannotStore: readonly HoldfastErrorCode[] = ['root-read-only', 'root-unusable', 'disk-full', 'record-too-large'];

const SHOWN_UNITS = 64;

/** What was asked for, as browsers begin their messages: `Failed to execute 'setItem' on 'Storage'`. */
export function failedTo(operation: Operation): string {
  return operation === 'length'
    ? "Failed to read the 'length' property from 'Storage'"
    : `Failed to execute '${operation}' on 'Storage'`;
}

/** A key in a message: keys can be as long as the quota. */
function shown(key: string): string {
  return key.length <= SHOWN_UNITS ? `'${key}'` : `'${key.slice(0, SHOWN_UNITS)}…' (${key.length} code units)`;
}

/** https://html.spec.whatwg.org/#dom-storage-setitem: the value does not fit, or too many writes wait for the hub. */
export function overQuota(operation: Operation, outcome: SetOutcome & { accepted: false }, key = ''): QuotaExceededError {
  const { quota, requested, unsent } = outcome;
  const why =
    unsent === true
      ? `it would make ${requested} bytes of writes wait for the hub of this origin; at most ${quota} may.`
      : `setting the value of ${shown(key)} would take the origin to ${requested} bytes; its quota is ${quota}.`;
  return new QuotaExceededError(`${failedTo(operation)}: ${why}`, { quota, requested });
}

/**
 * What the web sees when the disk fails it: a write that finds no place is a QuotaExceededError, as the standard says
 * of a value that cannot be stored; the rest an UnknownError; a closed client or host an InvalidStateError.
 */
export function storageError(error: unknown, operation: Operation, key?: string): unknown {
  if (!(error instanceof HoldfastError)) return error;
  const entry = key === undefined ? '' : ` for the key ${shown(key)}`;
  const message = `${failedTo(operation)}${entry}: ${error.message}`;
  if (error.code === 'closed') return domException('InvalidStateError', message, error);
  if (!writes.includes(operation) || !cannotStore.includes(error.code)) return domException('UnknownError', message, error);
  return withCause(new QuotaExceededError(message), error);
}
