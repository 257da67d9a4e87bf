import { AsyncLocalStorage } from 'node:async_hooks';

/** For whom code runs; whoever runs some in one may know more of it. */
export interface Scope {
  /** The storage client that it has for its own. */
  readonly client: object;
}

/**
 * Undefined before the first use: a context that nobody uses would still cost every `await` of the program. It is one for
 * all that has to be known, for each takes a quarter of a microsecond of each call of a coordinator.
 */
export let scopes: AsyncLocalStorage<Scope> | undefined;

/** Runs `body`, and whatever it starts, in a scope. */
export function runInScope<Result>(scope: Scope, body: () => Result): Result {
  scopes ??= new AsyncLocalStorage();
  return scopes.run(scope, body);
}
