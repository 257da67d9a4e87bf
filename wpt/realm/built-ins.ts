import { define } from './global-events.ts';

/**
 * Built-ins of the language, not of the web, that the tests use and Node 20 does not have yet.
 * https://tc39.es/proposal-array-from-async/ https://tc39.es/ecma262/#sec-promise.withResolvers
 */
export function addMissingBuiltIns(): void {
  if (!('fromAsync' in Array)) define(Array, { fromAsync });
  if (!('withResolvers' in Promise)) define(Promise, { withResolvers });
}

async function fromAsync<T>(items: AsyncIterable<T> | Iterable<T | PromiseLike<T>>): Promise<T[]> {
  const result: T[] = [];
  for await (const item of items) result.push(item);
  return result;
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (reason: unknown) => void } {
  let resolve: (value: T) => void = () => undefined;
  let reject: (reason: unknown) => void = () => undefined;
  const promise = new Promise<T>((fulfil, refuse) => {
    resolve = fulfil;
    reject = refuse;
  });
  return { promise, resolve, reject };
}
