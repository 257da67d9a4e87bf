/** Requests by the signal that can abort them. A signal takes time for each of its listeners, so each gets one. */
const watched = new WeakMap<AbortSignal, AbortWatch>();

class AbortWatch {
  readonly #signal: AbortSignal;
  readonly #actions = new Set<() => void>();
  readonly #onAbort = (): void => this.#run();

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', this.#onAbort);
    watched.set(signal, this);
  }

  add(action: () => void): void {
    this.#actions.add(action);
  }

  delete(action: () => void): void {
    if (this.#actions.delete(action) && this.#actions.size === 0) this.#end();
  }

  #run(): void {
    // Anybody can dispatch an event of that name.
    if (!this.#signal.aborted) return;
    const actions = [...this.#actions];
    this.#actions.clear();
    this.#end();
    for (const action of actions) action();
  }

  #end(): void {
    watched.delete(this.#signal);
    this.#signal.removeEventListener('abort', this.#onAbort);
  }
}

/**
 * Calls `action` once when `signal` aborts, in the order in which they were given. https://dom.spec.whatwg.org/#abortsignal-add
 *
 * @returns what ends that; to be called when the action is no longer wanted.
 */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  const watch = watched.get(signal) ?? new AbortWatch(signal);
  watch.add(action);
  return () => watch.delete(action);
}
