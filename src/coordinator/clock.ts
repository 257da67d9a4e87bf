import { clearTimeout, setTimeout, wallClock } from '../runtime/timers.ts';
import type { Clock } from './store.ts';

/** Longer waits end early, and whoever waits looks again. */
const LONGEST_MS = 2 ** 31 - 1;

/** The runtime's own time. */
export const systemClock: Clock = {
  now: wallClock,
  after(milliseconds, callback) {
    const timer = setTimeout(callback, Math.min(LONGEST_MS, milliseconds)).unref();
    return () => clearTimeout(timer);
  },
};
