import { inThisContext } from '../runtime/callback-context.ts';

type Listener<E> = ((event: E) => unknown) | { handleEvent(event: E): unknown };
type Callback = Listener<Event>;
type ListenerOptions = boolean | { capture?: boolean; once?: boolean; passive?: boolean; signal?: AbortSignal };

interface Registration {
  readonly type: string;
  readonly capture: boolean;
  readonly bound: (event: Event) => unknown;
}

const isCapturing = (options: ListenerOptions | undefined): boolean =>
  typeof options === 'object' ? options.capture === true : options === true;

const invoke = (callback: Callback, target: unknown, event: Event): unknown =>
  typeof callback === 'function' ? Reflect.apply(callback, target, [event]) : callback.handleEvent(event);

/**
 * An EventTarget whose listeners run in the context in which they were added, not in that of whoever dispatches, and
 * that knows how many listeners each type of event has. https://dom.spec.whatwg.org/#eventtarget
 */
export abstract class ContextEventTarget<Events = unknown> extends EventTarget {
  // Most clients of a server never have a listener.
  #registrations: Map<Callback, Registration[]> | undefined;

  /** Called after a listener for `type` came or went. */
  protected abstract listenersChanged(type: string, count: number): void;

  override addEventListener<Type extends keyof Events & string>(type: Type, callback: Listener<Events[Type]> | null, options?: ListenerOptions): void;
  override addEventListener(type: string, callback: Callback | null, options?: ListenerOptions): void;
  override addEventListener(type: string, given: Listener<never> | null, options?: ListenerOptions): void {
    if (given === null) return;
    const callback = given as Callback;
    const capture = isCapturing(options);
    const signal = typeof options === 'object' ? options.signal : undefined;
    if (signal?.aborted === true || this.#find(type, callback, capture) !== undefined) return;
    const registration = this.#register(type, callback, capture, typeof options === 'object' && options.once === true);
    super.addEventListener(type, registration.bound, options);
    signal?.addEventListener('abort', () => this.#forget(callback, registration), { once: true });
    this.listenersChanged(type, this.#count(type));
  }

  override removeEventListener<Type extends keyof Events & string>(type: Type, callback: Listener<Events[Type]> | null, options?: ListenerOptions): void;
  override removeEventListener(type: string, callback: Callback | null, options?: ListenerOptions): void;
  override removeEventListener(type: string, given: Listener<never> | null, options?: ListenerOptions): void {
    if (given === null) return;
    const callback = given as Callback;
    const registration = this.#find(type, callback, isCapturing(options));
    // A runtime that acts on an aborted signal names the listener that it was given: the bound one.
    super.removeEventListener(type, registration?.bound ?? callback, options);
    if (registration !== undefined) this.#forget(callback, registration);
  }

  /** Whether anybody listens, to whatever. */
  protected get hasListeners(): boolean {
    return (this.#registrations?.size ?? 0) > 0;
  }

  /** Removes every listener. */
  protected removeAllListeners(): void {
    for (const [callback, registrations] of [...(this.#registrations ?? [])]) {
      for (const { type, capture } of [...registrations]) this.removeEventListener(type, callback, capture);
    }
  }

  #register(type: string, callback: Callback, capture: boolean, once: boolean): Registration {
    const inContext = inThisContext((target: unknown, event: Event) => invoke(callback, target, event));
    const forget = (): void => this.#forget(callback, registration);
    const registration: Registration = {
      type,
      capture,
      bound(this: unknown, event: Event) {
        if (once) forget();
        return inContext(this, event);
      },
    };
    this.#registrations ??= new Map();
    this.#registrations.set(callback, [...(this.#registrations.get(callback) ?? []), registration]);
    return registration;
  }

  #find(type: string, callback: Callback, capture: boolean): Registration | undefined {
    return this.#registrations?.get(callback)?.find((known) => known.type === type && known.capture === capture);
  }

  #forget(callback: Callback, registration: Registration): void {
    const rest = this.#registrations?.get(callback)?.filter((other) => other !== registration);
    if (rest === undefined) return;
    if (rest.length === 0) this.#registrations?.delete(callback);
    else this.#registrations?.set(callback, rest);
    this.listenersChanged(registration.type, this.#count(registration.type));
  }

  #count(type: string): number {
    let count = 0;
    for (const registrations of this.#registrations?.values() ?? []) {
      count += registrations.filter((registration) => registration.type === type).length;
    }
    return count;
  }
}
