import { AsyncLocalStorage } from 'node:async_hooks';
import type { Block } from './gate.ts';
import type { Writer } from './turn.ts';

/** One coordinator that waits in a chain of calls, and the event of it that does. */
export interface Link {
  /** The coordinator, as {@link idOf} names it. */
  readonly id: string;
  /** How messages name it. */
  readonly shown: string;
  /** Unique among all processes. */
  readonly event: string;
}

/** What runs for a coordinator, and for whom. */
export interface Context {
  /** The instance whose code runs. */
  readonly instance: object;
  /** The calls that led here; the last one is the event that runs. */
  readonly chain: readonly Link[];
  /** The sections of `blockConcurrencyWhile` that it is in. */
  readonly blocks: readonly Block[];
  /** The event that runs; null: none, as in a constructor. */
  readonly event: Writer | null;
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
