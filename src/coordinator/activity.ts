import type { CoordinatorKey } from './store.ts';

/** What a live instance is doing, for whoever looks. */
export interface Activity extends CoordinatorKey {
  readonly epoch: number;
  /** The time of its last event, in milliseconds since 1970. */
  readonly usedAt: number;
  /** Calls that have not begun. */
  readonly waiting: number;
  /** Calls, and alarms, that have begun and whose results have not left. */
  readonly running: number;
  /** How often its alarm has failed in a row. */
  readonly failures: number;
}
