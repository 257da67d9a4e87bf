import { define } from '../../runtime/define.ts';
import type { EventNode } from './event-node.ts';

/** Where an event is on its way. */
export class EventTravel {
  readonly path: readonly EventNode[];
  readonly target: EventTarget;
  currentTarget: EventTarget | null = null;
  phase = 0;
  isStopped = false;
  isStoppedAtOnce = false;

  constructor(path: readonly EventNode[], target: EventTarget) {
    this.path = path;
    this.target = target;
  }

  composedPath(): EventTarget[] {
    return this.currentTarget === null ? [] : this.path.map((node) => node.object);
  }

  stop(): void {
    this.isStopped = true;
  }

  stopAtOnce(): void {
    this.isStopped = true;
    this.isStoppedAtOnce = true;
  }
}

/**
 * An event that tells of its travel, which the runtime's own knows nothing of. Programs see an Event like any other.
 * https://dom.spec.whatwg.org/#interface-event
 */
export class TravellingEvent extends Event {
  #travel: EventTravel | null = null;

  static begin(event: TravellingEvent, travel: EventTravel): void {
    event.#travel = travel;
  }

  override get target(): EventTarget | null {
    return this.#travel?.target ?? null;
  }

  override get srcElement(): EventTarget | null {
    return this.target;
  }

  override get currentTarget(): EventTarget | null {
    return this.#travel?.currentTarget ?? null;
  }

  // The runtime's types know of two phases only.
  override get eventPhase(): 0 | 2 {
    return (this.#travel?.phase ?? 0) as 0 | 2;
  }

  // The runtime's types have it give a tuple; the standard's is a list.
  override composedPath(): [EventTarget] {
    return (this.#travel?.composedPath() ?? []) as [EventTarget];
  }

  override stopPropagation(): void {
    super.stopPropagation();
    this.#travel?.stop();
  }

  override stopImmediatePropagation(): void {
    super.stopImmediatePropagation();
    this.#travel?.stopAtOnce();
  }
}

define(TravellingEvent.prototype, 'constructor', { value: Event });

const travels = new WeakMap<Event, EventTravel>();

/** Lets any event tell of its travel; one that was made by the program, for instance. */
export function beginTravel(event: Event, travel: EventTravel): void {
  if (isTravelling(event)) return TravellingEvent.begin(event, travel);
  if (!travels.has(event)) defineMembers(event);
  travels.set(event, travel);
}

function isTravelling(event: Event): event is TravellingEvent {
  return event instanceof TravellingEvent;
}

function defineMembers(event: Event): void {
  const travel = (): EventTravel | undefined => travels.get(event);
  const getters = {
    target: () => travel()?.target ?? null,
    srcElement: () => travel()?.target ?? null,
    currentTarget: () => travel()?.currentTarget ?? null,
    eventPhase: () => travel()?.phase ?? 0,
  };
  for (const [name, get] of Object.entries(getters)) define(event, name, { get, configurable: true });
  const methods = {
    composedPath: () => travel()?.composedPath() ?? [],
    stopPropagation: () => travel()?.stop(),
    stopImmediatePropagation: () => travel()?.stopAtOnce(),
  };
  for (const [name, value] of Object.entries(methods)) define(event, name, { value, configurable: true, writable: true });
}
