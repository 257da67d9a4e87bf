import { domException } from '../../webidl/dom-exception.ts';
import type { EventNode } from './event-node.ts';
import { beginTravel, EventTravel, isUnderWay, TravellingEvent } from './event-travel.ts';

/** What became of an event. */
export interface Outcome {
  /** Whether a listener threw: the standard's legacyOutputDidListenersThrowFlag. */
  readonly didThrow: boolean;
  readonly isCanceled: boolean;
}

const unheard: Outcome = { didThrow: false, isCanceled: false };

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

/** Dispatches from a task of the platform. */
export function dispatch(node: EventNode, event: Event): Outcome {
  const didThrow = travel(node, event, false);
  return { didThrow, isCanceled: event.defaultPrevented };
}

/** https://dom.spec.whatwg.org/#dom-eventtarget-dispatchevent */
export function dispatchFromScript(node: EventNode, event: unknown): boolean {
  if (!isEvent(event)) throw new TypeError("Failed to execute 'dispatchEvent' on 'EventTarget': parameter 1 is not an Event.");
  if (isUnderWay(event)) throw domException('InvalidStateError', 'The event is already being dispatched.');
  travel(node, event, true);
  return !event.defaultPrevented;
}

function isEvent(value: unknown): value is Event {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'type') === 'string' && typeof Reflect.get(value, 'preventDefault') === 'function';
}

function travel(node: EventNode, event: Event, isFromScript: boolean): boolean {
  const state = new EventTravel(node, event, isFromScript);
  beginTravel(event, state);
  return state.run();
}
