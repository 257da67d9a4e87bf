import type * as all from './algorithms/index.ts';

export type Algorithms = typeof all;

let loading: Promise<Algorithms> | undefined;

async function load(): Promise<Algorithms> {
  try {
    return await import('./algorithms/index.ts');
  } catch (error) {
    loading = undefined; // such as too many open files: the next call tries again
    throw error;
  }
}

/** The code behind the interfaces' methods, loaded when the first of them is called. */
export function algorithms(): Promise<Algorithms> {
  return (loading ??= load());
}
