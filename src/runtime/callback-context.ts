import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

/**
 * `callback`, fixed to the asynchronous context in which this is called: whoever triggers it later, it runs as part of
 * what its author was doing. Without it one tenant's callback would run in the context of another's request.
 */
export function inThisContext<F extends (...args: never[]) => unknown>(callback: F): F {
  return AsyncLocalStorage.bind(callback) as unknown as F;
}

const outside = new AsyncResource('Holdfast');

/**
 * Runs `body` in the context in which this module was loaded, which is no tenant's. Watchers and loops that serve many
 * tenants start here, else they would run for ever as the tenant that happened to start them. (A snapshot does the same,
 * by a bound function, which takes four times as long.)
 */
export function outsideContexts<Result>(body: () => Result): Result {
  return outside.runInAsyncScope(body);
}

/**
 * The asynchronous context in which it is made, for callbacks of which there are very many: a bound function costs a
 * microsecond, this a tenth of it.
 */
export class CallbackContext {
  readonly #resource = new AsyncResource('HoldfastCallback', { requireManualDestroy: true });

  /** Calls `callback` as part of what its author was doing. */
  call<Argument>(callback: (this: unknown, argument: Argument) => unknown, target: unknown, argument: Argument): unknown {
    return this.#resource.runInAsyncScope(callback, target, argument);
  }
}
