import { AsyncLocalStorage } from 'node:async_hooks';
import type { CallId } from '../disk/coordinator/owned-records.ts';
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

/** The event that runs, as its code reaches it. */
export interface EventContext {
  /** Null: no call, but an alarm. */
  readonly call: CallId | null;
  /** Takes note that it has changed something. */
  wrote(): void;
}

/** What runs for a coordinator, and for whom. */
export interface Context {
  /** The instance whose code runs. */
  readonly instance: object;
  /** The calls that led here; the last one is the event that runs. */
  readonly chain: readonly Link[];
  /** The sections of `blockConcurrencyWhile` that it is in. */
  readonly blocks: readonly Block[];
  /** Null: none, as in a constructor. */
  readonly event: EventContext | null;
}

let contexts: AsyncLocalStorage<Context> | undefined;

export function runIn<Result>(context: Context, body: () => Result): Result {
  contexts ??= new AsyncLocalStorage();
  return contexts.run(context, body);
}

/** Undefined outside of coordinators. */
export function currentContext(): Context | undefined {
  return contexts?.getStore();
}
