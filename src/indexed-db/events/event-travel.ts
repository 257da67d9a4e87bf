import { define } from '../../runtime/define.ts';
import { runMicrotasks } from '../../runtime/microtasks.ts';
import { reportException } from '../../runtime/timers.ts';
import { type EventNode, type Listener, removeFrom } from './event-node.ts';

const CAPTURING = 1;
const AT_TARGET = 2;
const BUBBLING = 3;

/**
 * One dispatch of an event: down to its target, and up again if it bubbles. Invariants:
 * - a listener is called that was there when the event came to its node, and has not been removed since;
 * - where the event was dispatched by the platform, microtasks run after each listener; by a program, they cannot.
 *
 * https://dom.spec.whatwg.org/#concept-event-dispatch
 */
export class EventTravel {
  readonly #node: EventNode;
  readonly #event: Event;
  readonly #isFromScript: boolean;
  #didThrow = false;
  #isStopped = false;
  #isStoppedAtOnce = false;
  currentTarget: EventTarget | null = null;
  phase = 0;
  isUnderWay = true;

  constructor(node: EventNode, event: Event, isFromScript: boolean) {
    this.#node = node;
    this.#event = event;
    this.#isFromScript = isFromScript;
  }

  get target(): EventTarget {
    return this.#node.object;
  }

  composedPath(): EventTarget[] {
    const path: EventTarget[] = [];
    if (!this.isUnderWay) return path;
    for (let node: EventNode | null = this.#node; node !== null; node = node.parent) path.push(node.object);
    return path;
  }

  stop(): void {
    this.#isStopped = true;
  }

  stopAtOnce(): void {
    this.#isStopped = true;
    this.#isStoppedAtOnce = true;
  }

  /** Gives whether a listener threw. */
  run(): boolean {
    try {
      this.#capture(this.#node);
      this.#visit(this.#node, AT_TARGET, false);
      if (this.#event.bubbles) this.#bubble();
    } finally {
      this.currentTarget = null;
      this.phase = 0;
      this.isUnderWay = false;
    }
    return this.#didThrow;
  }

  /** Parents first. */
  #capture(node: EventNode): void {
    const { parent } = node;
    if (parent !== null) this.#capture(parent);
    this.#visit(node, node === this.#node ? AT_TARGET : CAPTURING, true);
  }

  #bubble(): void {
    for (let node = this.#node.parent; node !== null; node = node.parent) this.#visit(node, BUBBLING, false);
  }

  #visit(node: EventNode, phase: number, capture: boolean): void {
    const { listeners } = node;
    if (listeners.length === 0 || this.#hasStopped()) return;
    this.phase = phase;
    this.currentTarget = node.object;
    const { type } = this.#event;
    for (const listener of listeners) {
      if (listener.isRemoved || listener.capture !== capture || listener.type !== type) continue;
      if (listener.once) removeFrom(node, listener);
      this.#call(listener, node.object);
      if (this.#isStoppedAtOnce) return;
    }
  }

  /** Assigning to `cancelBubble` stops it too, and only the runtime sees that. */
  #hasStopped(): boolean {
    return this.#isStopped || this.#event.cancelBubble;
  }

  #call(listener: Listener, target: EventTarget): void {
    try {
      listener.call(target, this.#event);
    } catch (error) {
      this.#didThrow = true;
      reportException(error);
    }
    if (!this.#isFromScript) runMicrotasks?.();
  }
}

/**
 * An event that tells of its travel, which the runtime's own knows nothing of. Programs see an Event like any other.
 * https://dom.spec.whatwg.org/#interface-event
 */
export class TravellingEvent extends Event {
  #travel: EventTravel | null = null;

  static travelOf(event: TravellingEvent): EventTravel | null {
    return event.#travel;
  }

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
    return (this.#travel?.composedPath() ?? []) as unknown as [EventTarget];
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

/** Of events of other classes: those that a program has made, and changes of versions. */
const travels = new WeakMap<Event, EventTravel>();

function isTravelling(event: Event): event is TravellingEvent {
  return event instanceof TravellingEvent;
}

export function isUnderWay(event: Event): boolean {
  const travel = isTravelling(event) ? TravellingEvent.travelOf(event) : travels.get(event);
  return travel?.isUnderWay === true;
}

/** Has an event of whatever class tell of its travel. */
export function beginTravel(event: Event, travel: EventTravel): void {
  if (isTravelling(event)) return TravellingEvent.begin(event, travel);
  if (!travels.has(event)) defineMembers(event);
  travels.set(event, travel);
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
