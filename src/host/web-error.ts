import { HoldfastError } from '../runtime/holdfast-error.ts';
import { domException } from '../webidl/dom-exception.ts';

/**
 * An error of the host as the web's callers may see it, for attributes and operations that browsers have too.
 * Storage that cannot be had is a SecurityError: https://html.spec.whatwg.org/multipage/webstorage.html#dom-localstorage
 */
export function asWebError(error: unknown): unknown {
  if (!(error instanceof HoldfastError)) return error;
  return domException(/^(closed|bucket)/.test(error.code) ? 'InvalidStateError' : 'SecurityError', error.message, error);
}
