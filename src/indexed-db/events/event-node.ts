import { CallbackContext } from '../../runtime/callback-context.ts';
import { isAbortSignal, isObject } from '../../runtime/brands.ts';
import { boolean, dictionary, DOMString } from '../../webidl/conversions.ts';

type Callback = (this: unknown, event: Event) => unknown;

/**
 * Something that was added to be called, in the context in which it was added. Its place in the list never changes; once
 * it is removed it is not called any more.
 */
export class Listener {
  readonly type: string;
  /** What the program gave. */
  readonly callback: object;
  readonly capture: boolean;
  readonly once: boolean;
  /** Whether it is an `on…` attribute's. */
  readonly isHandler: boolean;
  isRemoved = false;
  readonly #context = new CallbackContext();

  constructor(type: string, callback: object, capture: boolean, once: boolean, isHandler: boolean) {
    this.type = type;
    this.callback = callback;
    this.capture = capture;
    this.once = once;
    this.isHandler = isHandler;
  }

  call(target: EventTarget, event: Event): void {
    const { callback } = this;
    if (typeof callback === 'function') {
      const result = this.#context.call(callback as Callback, target, event);
      // https://html.spec.whatwg.org/#the-event-handler-processing-algorithm
      if (this.isHandler && result === false) event.preventDefault();
    } else if (!this.isHandler) {
      this.#context.call(callHandleEvent, callback, event);
    }
  }
}

/** https://webidl.spec.whatwg.org/#call-a-user-objects-operation */
function callHandleEvent(this: unknown, event: Event): unknown {
  const handleEvent: unknown = Reflect.get(this as object, 'handleEvent');
  if (typeof handleEvent !== 'function') throw new TypeError('The handleEvent of an event listener is not a function.');
  return Reflect.apply(handleEvent as Callback, this, [event]);
}

const nothing: readonly Listener[] = [];

/**
 * Something that events are dispatched at, with a parent: no runtime's EventTarget has one.
 * https://dom.spec.whatwg.org/#get-the-parent
 *
 * `listeners` is replaced, never changed, so whoever goes through it goes through what was there at first.
 */
export abstract class EventNode {
  listeners: readonly Listener[] = nothing;
  abstract get object(): EventTarget;
  abstract get parent(): EventNode | null;
}

interface AddOptions {
  readonly capture: boolean;
  readonly once?: boolean;
  readonly signal?: AbortSignal;
}

const convertOptions = dictionary<AddOptions>({
  capture: { convert: boolean, default: false },
  once: { convert: boolean },
  signal: { convert: signalOf },
});

function signalOf(value: unknown, context: string): AbortSignal {
  if (!isAbortSignal(value)) throw new TypeError(`${context} is not an AbortSignal.`);
  return value;
}

/** https://dom.spec.whatwg.org/#event-flatten-more */
function optionsOf(value: unknown, context: string): AddOptions {
  return isObject(value) ? convertOptions(value, `${context}: parameter 3`) : { capture: Boolean(value) };
}

function callbackOf(value: unknown, context: string): object | null {
  if (value === null || value === undefined) return null;
  if (!isObject(value)) throw new TypeError(`${context}: parameter 2 is not an object.`);
  return value;
}

/** https://dom.spec.whatwg.org/#dom-eventtarget-addeventlistener */
export function addListener(node: EventNode, args: readonly unknown[]): void {
  const context = "Failed to execute 'addEventListener' on 'EventTarget'";
  const type = DOMString(args[0], `${context}: parameter 1`);
  const callback = callbackOf(args[1], context);
  const { capture, once = false, signal } = optionsOf(args[2], context);
  if (callback === null || signal?.aborted === true || find(node, type, callback, capture) !== undefined) return;
  const listener = new Listener(type, callback, capture, once, false);
  node.listeners = [...node.listeners, listener];
  signal?.addEventListener('abort', () => removeFrom(node, listener), { once: true });
}

/** https://dom.spec.whatwg.org/#dom-eventtarget-removeeventlistener */
export function removeListener(node: EventNode, args: readonly unknown[]): void {
  const context = "Failed to execute 'removeEventListener' on 'EventTarget'";
  const type = DOMString(args[0], `${context}: parameter 1`);
  const callback = callbackOf(args[1], context);
  const listener = callback && find(node, type, callback, optionsOf(args[2], context).capture);
  if (listener) removeFrom(node, listener);
}

function find(node: EventNode, type: string, callback: object, capture: boolean): Listener | undefined {
  return node.listeners.find((known) => !known.isHandler && known.callback === callback && known.type === type && known.capture === capture);
}

export function removeFrom(node: EventNode, listener: Listener): void {
  listener.isRemoved = true;
  node.listeners = node.listeners.filter((other) => other !== listener);
}

/** https://html.spec.whatwg.org/#event-handler-idl-attributes */
export function handlerOf(node: EventNode, type: string): object | null {
  return handlerListener(node, type)?.callback ?? null;
}

/** What is no object takes the handler away. One that takes the place of another is called at the other's turn. */
export function setHandler(node: EventNode, type: string, value: unknown): void {
  const old = handlerListener(node, type);
  if (!isObject(value)) {
    if (old !== undefined) removeFrom(node, old);
    return;
  }
  const handler = new Listener(type, value, false, false, true);
  if (old === undefined) {
    node.listeners = node.listeners.length === 0 ? [handler] : [...node.listeners, handler];
    return;
  }
  old.isRemoved = true;
  node.listeners = node.listeners.map((listener) => (listener === old ? handler : listener));
}

function handlerListener(node: EventNode, type: string): Listener | undefined {
  for (const listener of node.listeners) {
    if (listener.isHandler && listener.type === type) return listener;
  }
  return undefined;
}
