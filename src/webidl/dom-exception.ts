import { withCause } from '../runtime/errors.ts';

/** Names of https://webidl.spec.whatwg.org/#idl-DOMException-error-names that Holdfast throws. */
export type DOMExceptionName =
  | 'AbortError'
  | 'ConstraintError'
  | 'DataCloneError'
  | 'DataError'
  | 'InvalidAccessError'
  | 'InvalidModificationError'
  | 'InvalidStateError'
  | 'NoModificationAllowedError'
  | 'NotAllowedError'
  | 'NotFoundError'
  | 'NotReadableError'
  | 'NotSupportedError'
  | 'ReadOnlyError'
  | 'SecurityError'
  | 'SyntaxError'
  | 'TransactionInactiveError'
  | 'TypeMismatchError'
  | 'UnknownError'
  | 'VersionError';

/** A DOMException that carries what caused it, which the constructor itself cannot be told. */
export function domException(name: DOMExceptionName, message: string, cause?: unknown): DOMException {
  const exception = new DOMException(message, name);
  return cause === undefined ? exception : withCause(exception, cause);
}
