import { isObject } from '../../runtime/brands.ts';
import type { ContextEventTarget } from '../context-event-target.ts';
import { attribute } from './definition.ts';
import type { Definition } from './definition.ts';

type ListenerArguments = Parameters<ContextEventTarget['addEventListener']>;

/** A client as the target of `storage` events. */
export interface StorageEventTarget extends ContextEventTarget {
  onstorage: ((event: never) => unknown) | null;
}

/** The three operations of an EventTarget. */
interface Operations {
  addEventListener(...args: ListenerArguments): void;
  removeEventListener(...args: ListenerArguments): void;
  dispatchEvent(event: Event): boolean;
}

/** What the target did with events before; a new EventTarget for one that knew none, as Node's global object. */
function previousOperations(target: object): Operations {
  const has = 'addEventListener' in target && 'removeEventListener' in target && 'dispatchEvent' in target;
  if (!has) return new EventTarget();
  const { addEventListener, removeEventListener, dispatchEvent } = target as Operations;
  return {
    addEventListener: (...args) => Reflect.apply(addEventListener, target, args),
    removeEventListener: (...args) => Reflect.apply(removeEventListener, target, args),
    dispatchEvent: (event) => Reflect.apply(dispatchEvent, target, [event]),
  };
}

/**
 * Makes the global object's `storage` events those of the current client, and leaves all others where they were.
 * https://html.spec.whatwg.org/multipage/webstorage.html#the-storage-event
 */
export function eventDefinitions(target: object, current: () => StorageEventTarget): Definition[] {
  const previous = previousOperations(target);
  const chosen = (type: unknown): Operations => (String(type) === 'storage' ? current() : previous);
  const operations: Operations = {
    addEventListener: (...args) => chosen(args[0]).addEventListener(...args),
    removeEventListener: (...args) => chosen(args[0]).removeEventListener(...args),
    dispatchEvent: (event) => (isObject(event) ? chosen(event.type) : previous).dispatchEvent(event),
  };
  const holder = {
    get onstorage() {
      return current().onstorage;
    },
    set onstorage(handler) {
      current().onstorage = handler;
    },
  };
  const functions = Object.entries(operations).map(([key, value]): Definition => {
    return { target, key, descriptor: { value, writable: true, enumerable: true, configurable: true } };
  });
  return [...functions, attribute(target, holder, 'onstorage')];
}
