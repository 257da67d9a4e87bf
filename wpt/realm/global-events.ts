import { isOfGonePage } from './pages/ownership.ts';

type Listener = ((event: Event) => unknown) | { handleEvent(event: Event): unknown };

/**
 * Makes the global object an event target, which Node's is not. Node keeps an EventTarget's state in its constructor,
 * so an inner target holds it, and listeners see the global object as `this` and as the event's target.
 */
export function makeGlobalEventTarget(scope: object): EventTarget {
  const inner = new EventTarget();
  const wrapped = new WeakMap<Listener, (event: Event) => unknown>();
  const wrap = (listener: Listener): ((event: Event) => unknown) => {
    const known = wrapped.get(listener);
    if (known !== undefined) return known;
    const call = (event: Event): unknown => {
      Object.defineProperties(event, { target: { value: scope, configurable: true }, currentTarget: { value: scope, configurable: true } });
      return typeof listener === 'function' ? listener.call(scope, event) : listener.handleEvent(event);
    };
    wrapped.set(listener, call);
    return call;
  };
  define(scope, {
    addEventListener(type: string, listener: Listener | null, options?: Parameters<EventTarget['addEventListener']>[2]) {
      if (listener !== null) inner.addEventListener(type, wrap(listener), options);
    },
    removeEventListener(type: string, listener: Listener | null, options?: Parameters<EventTarget['removeEventListener']>[2]) {
      if (listener !== null) inner.removeEventListener(type, wrap(listener), options);
    },
    dispatchEvent: (event: Event) => inner.dispatchEvent(event),
  });
  return inner;
}

/** Event handler attributes such as `onmessage`: assigning replaces the handler, null removes it. */
export function defineHandlers(target: object, events: EventTarget, types: readonly string[]): void {
  for (const type of types) {
    let handler: ((event: Event) => unknown) | null = null;
    events.addEventListener(type, (event) => handler?.call(target, event));
    Object.defineProperty(target, `on${type}`, {
      get: () => handler,
      set: (value: unknown) => (handler = typeof value === 'function' ? (value as (event: Event) => unknown) : null),
      enumerable: true,
      configurable: true,
    });
  }
}

/** Uncaught exceptions and rejections become the events that a page gets. */
export function routeUncaught(scope: EventTarget): void {
  process.on('uncaughtException', (error) => scope.dispatchEvent(errorEvent(error)));
  process.on('unhandledRejection', (reason, promise) => {
    if (isOfGonePage(promise)) return;
    scope.dispatchEvent(Object.assign(new Event('unhandledrejection', { cancelable: true }), { reason, promise }));
  });
}

/** Node 20 has no ErrorEvent. */
export function errorEvent(error: unknown): Event {
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return Object.assign(new Event('error', { cancelable: true }), { error, message, filename: '', lineno: 0, colno: 0 });
}

export function define(scope: object, properties: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(properties)) {
    Object.defineProperty(scope, name, { value, writable: true, enumerable: false, configurable: true });
  }
}
