import type * as all from './algorithms/index.ts';

type Algorithms = typeof all;

let loading: Promise<Algorithms> | undefined;

async function load(): Promise<Algorithms> {
  try {
    return await import('./algorithms/index.ts');
  } catch (error) {
    loading = undefined; // such as too many open files: the next call tries again
    throw error;
  }
}

/**
 * What the interfaces' methods do, loaded when the first of them is called. All callers wait for one promise, so that
 * they go on in the order of their calls.
 */
export function algorithms(): Promise<Algorithms> {
  return (loading ??= load());
}
