import type { Machine } from '../journal/machine.ts';

/** For who follows a journal from generation to generation, and does not ask what its records mean. */
export const nullMachine: Machine<undefined> = {
  apply: () => undefined,
  reset: () => undefined,
  restore: () => undefined,
  restored: () => undefined,
  snapshot: () => [],
};
