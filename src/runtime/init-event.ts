/** Initializes an event that is not being dispatched anew. https://dom.spec.whatwg.org/#concept-event-initialize */
export function initEvent(event: Event, type: string, bubbles: boolean, cancelable: boolean): void {
  if (typeof (event as Partial<Event>).initEvent === 'function') event.initEvent(type, bubbles, cancelable);
  else copyState(new Event(type, { bubbles, cancelable }), event);
}

/** Deno has no initEvent, and keeps the state of an event in properties that have symbols for names. */
function copyState(from: Event, to: Event): void {
  for (const symbol of Object.getOwnPropertySymbols(from)) Reflect.set(to, symbol, Reflect.get(from, symbol));
}
