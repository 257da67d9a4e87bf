import { AsyncLocalStorage } from 'node:async_hooks';

/**
 * `callback`, fixed to the asynchronous context in which this is called: whoever triggers it later, it runs as part of
 * what its author was doing. Without it one tenant's callback would run in the context of another's request.
 */
export function inThisContext<F extends (...args: never[]) => unknown>(callback: F): F {
  return AsyncLocalStorage.bind(callback) as unknown as F;
}
