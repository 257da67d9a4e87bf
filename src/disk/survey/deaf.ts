import type { LockListener } from '../locks/lock-listener.ts';

const nothing = (): void => {};

/** For lock tables that are only looked at. */
export const deaf: LockListener = {
  settled: nothing,
  lost: nothing,
  left: nothing,
  ended: nothing,
  webStirred: nothing,
  changed: nothing,
  gap: nothing,
  restored: nothing,
};
