import { scopes, type Scope } from '../runtime/scope.ts';
import type { Event } from './event.ts';
import type { Block } from './gate.ts';

/** One coordinator that waits in a chain of calls, and the event of it that does. */
export interface Link {
  /** The coordinator, as {@link idOf} names it. */
  readonly id: string;
  /** How messages name it. */
  readonly shown: string;
  /** Unique among all processes. */
  readonly event: string;
}

/** The instance whose code runs. */
export interface Host {
  /** Does what reaches others once the turn is in the journal; what awaits the result goes on alone. */
  send<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** What runs for a coordinator. */
export interface Context extends Scope {
  readonly instance: Host;
  /** The sections of `blockConcurrencyWhile` that it is in. */
  readonly blocks: readonly Block[];
  /** The event that runs; null: none, as in a constructor. */
  readonly event: Event | null;
}

/** Undefined outside of coordinators. */
export function currentContext(): Context | undefined {
  const scope = scopes?.getStore();
  return scope !== undefined && 'instance' in scope ? (scope as Context) : undefined;
}
