import { Code } from '../runtime/code.ts';
import type * as Behaviour from './behaviour.ts';

// Programs look for the interface objects, so these exist from the start; most programs never make a handle, so what the
// methods do is loaded before the first one is made.

const code = new Code<typeof Behaviour>(() => import('./behaviour.ts'));

let loaded: typeof Behaviour | undefined;

/** What methods do. It is there whenever a handle is: none can be made without it. */
export function behaviour(): typeof Behaviour {
  if (loaded === undefined) throw new Error('a handle was made or used before its behaviour was loaded');
  return loaded;
}

/**
 * To be awaited before anything makes a handle.
 *
 * @throws HoldfastError `disk-failed`, such as for too many open files; try again
 */
export async function loadBehaviour(): Promise<typeof Behaviour> {
  return (loaded ??= await code.load());
}

/** For those who make handles in their caller's turn, and so import the behaviour from the start. */
export function provideBehaviour(code: typeof Behaviour): void {
  loaded = code;
}
