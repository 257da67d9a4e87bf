import type { Fate } from '../disk/coordinator/owned-records.ts';
import { randomUuid } from '../runtime/random.ts';
import type { Call } from './call.ts';
import type { Reply } from './messages.ts';
import type { Link } from './context.ts';
import { shown } from './errors.ts';
import { callName } from './state.ts';
import type { CoordinatorKey } from './store.ts';
import type { Writer } from './turn.ts';

const nothing = (): void => undefined;

/** A call, or an alarm, that waits or runs. */
export class Event implements Writer {
  readonly call: Call | null;
  readonly queuedAt: number;
  readonly promise: Promise<Reply>;
  begun = false;
  /** Whether its code has begun to run. */
  isRunning = false;
  fate: Fate | null = null;
  /** What the gate calls when it may begin. */
  begin: () => void = nothing;
  resolve!: (reply: Reply) => void;
  reject!: (error: unknown) => void;

  #id: string | undefined;

  constructor(call: Call | null, now: number) {
    this.call = call;
    this.queuedAt = now;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Whoever asked may be gone.
    this.promise.catch(nothing);
  }

  /** Unique among all processes. */
  get id(): string {
    return (this.#id ??= this.call === null ? randomUuid() : callName(this.call));
  }
}

/** An event in the chain of calls that it makes, which most make none of. */
export class EventLink implements Link {
  readonly #coordinator: { readonly id: string; readonly key: CoordinatorKey };
  readonly #event: Event;

  constructor(coordinator: { readonly id: string; readonly key: CoordinatorKey }, event: Event) {
    this.#coordinator = coordinator;
    this.#event = event;
  }

  get id(): string {
    return this.#coordinator.id;
  }

  get shown(): string {
    return shown(this.#coordinator.key);
  }

  get event(): string {
    return this.#event.id;
  }
}
