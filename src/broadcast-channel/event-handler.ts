export type Handler = (this: unknown, event: MessageEvent) => unknown;

/**
 * An event handler attribute: one listener for all handlers that are set one after another, which keeps the first one's
 * place in the order. https://html.spec.whatwg.org/#event-handler-attributes
 */
export class EventHandler {
  readonly #target: EventTarget;
  readonly #type: string;
  #handler: Handler | null = null;
  readonly #listener = (event: Event): unknown => this.#handler?.call(this.#target, event as MessageEvent);

  constructor(target: EventTarget, type: string) {
    this.#target = target;
    this.#type = type;
  }

  get value(): Handler | null {
    return this.#handler;
  }

  /** Whatever is no object is no handler. https://webidl.spec.whatwg.org/#LegacyTreatNonObjectAsNull */
  set value(handler: unknown) {
    if (typeof handler === 'function') {
      if (this.#handler === null) this.#target.addEventListener(this.#type, this.#listener);
      this.#handler = handler as Handler;
    } else {
      this.#handler = null;
      this.#target.removeEventListener(this.#type, this.#listener);
    }
  }
}
