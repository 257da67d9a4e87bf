import { runMicrotasks } from '../../runtime/microtasks.ts';
import { reportException } from '../../runtime/timers.ts';
import { domException } from '../../webidl/dom-exception.ts';
import { type EventNode, type Listener, removeFrom } from './event-node.ts';
import { beginTravel, EventTravel, TravellingEvent } from './event-travel.ts';

/** What became of an event. */
export interface Outcome {
  /** Whether a listener threw: the standard's legacyOutputDidListenersThrowFlag. */
  readonly didThrow: boolean;
  readonly isCanceled: boolean;
}

const unheard: Outcome = { didThrow: false, isCanceled: false };
const inDispatch = new WeakSet<Event>();

const CAPTURING = 1;
const AT_TARGET = 2;
const BUBBLING = 3;

export interface EventShape {
  readonly bubbles: boolean;
  readonly cancelable: boolean;
}

/** Fires an event of the plain kind; it is not made where nobody listens. https://dom.spec.whatwg.org/#concept-event-fire */
export function fire(node: EventNode, type: string, shape?: EventShape): Outcome {
  return isHeard(node, type) ? dispatch(node, new TravellingEvent(type, shape)) : unheard;
}

function isHeard(node: EventNode, type: string): boolean {
  for (let place: EventNode | null = node; place !== null; place = place.parent) {
    for (const listener of place.listeners) {
      if (listener.type === type) return true;
    }
  }
  return false;
}

/** Dispatches from a task of the platform: microtasks run after each listener. */
export function dispatch(node: EventNode, event: Event): Outcome {
  const didThrow = travel(node, event, runMicrotasks);
  return { didThrow, isCanceled: event.defaultPrevented };
}

/** https://dom.spec.whatwg.org/#dom-eventtarget-dispatchevent */
export function dispatchFromScript(node: EventNode, event: unknown): boolean {
  const shown: unknown = event;
  if (!isEvent(shown)) throw new TypeError("Failed to execute 'dispatchEvent' on 'EventTarget': parameter 1 is not an Event.");
  if (inDispatch.has(shown)) throw domException('InvalidStateError', 'The event is already being dispatched.');
  travel(node, shown, () => undefined);
  return !shown.defaultPrevented;
}

function isEvent(value: unknown): value is Event {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'type') === 'string' && typeof Reflect.get(value, 'preventDefault') === 'function';
}

/** https://dom.spec.whatwg.org/#concept-event-dispatch. Gives whether a listener threw. */
function travel(node: EventNode, event: Event, afterListener: () => void): boolean {
  const path: EventNode[] = [];
  for (let place: EventNode | null = node; place !== null; place = place.parent) path.push(place);
  const state = new EventTravel(path, node.object);
  beginTravel(event, state);
  inDispatch.add(event);
  try {
    return new Dispatch(event, state, afterListener).run();
  } finally {
    inDispatch.delete(event);
    state.currentTarget = null;
    state.phase = 0;
  }
}

class Dispatch {
  readonly #event: Event;
  readonly #travel: EventTravel;
  readonly #afterListener: () => void;
  #didThrow = false;

  constructor(event: Event, state: EventTravel, afterListener: () => void) {
    this.#event = event;
    this.#travel = state;
    this.#afterListener = afterListener;
  }

  run(): boolean {
    const { path } = this.#travel;
    for (let at = path.length - 1; at >= 0; at--) this.#visit(path[at], at === 0 ? AT_TARGET : CAPTURING, true);
    const last = this.#event.bubbles ? path.length : 1;
    for (let at = 0; at < last; at++) this.#visit(path[at], at === 0 ? AT_TARGET : BUBBLING, false);
    return this.#didThrow;
  }

  #visit(node: EventNode | undefined, phase: number, capture: boolean): void {
    if (node === undefined || node.listeners.length === 0 || this.#isStopped()) return;
    this.#travel.phase = phase;
    this.#travel.currentTarget = node.object;
    const { type } = this.#event;
    for (const listener of node.listeners) {
      if (listener.isRemoved || listener.type !== type || listener.capture !== capture) continue;
      if (listener.once) removeFrom(node, listener);
      this.#call(listener, node.object);
      if (this.#travel.isStoppedAtOnce) return;
    }
  }

  /** Assigning to `cancelBubble` stops it too, and only the runtime sees that. */
  #isStopped(): boolean {
    return this.#travel.isStopped || this.#event.cancelBubble;
  }

  #call(listener: Listener, target: EventTarget): void {
    try {
      listener.call(target, this.#event);
    } catch (error) {
      this.#didThrow = true;
      reportException(error);
    }
    this.#afterListener();
  }
}
