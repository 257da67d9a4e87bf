import { withCause } from '../runtime/errors.ts';

/** Names of https://webidl.spec.whatwg.org/#idl-DOMException-error-names that Holdfast throws. */
export type DOMExceptionName =
  | 'AbortError'
  | 'DataCloneError'
  | 'InvalidAccessError'
  | 'InvalidModificationError'
  | 'InvalidStateError'
  | 'NoModificationAllowedError'
  | 'NotAllowedError'
  | 'NotFoundError'
  | 'NotReadableError'
  | 'NotSupportedError'
  | 'SecurityError'
  | 'SyntaxError'
  | 'TypeMismatchError'
  | 'UnknownError';

/** A DOMException that carries what caused it, which the constructor itself cannot be told. */
export function domException(name: DOMExceptionName, message: string, cause?: unknown): DOMException {
  const exception = new DOMException(message, name);
  return cause === undefined ? exception : withCause(exception, cause);
}
