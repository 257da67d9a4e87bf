import { HoldfastError } from '../../runtime/holdfast-error.ts';

/** From a hub's making to its close. */
export class Lifetime {
  readonly #name: string;
  readonly #running = new Set<(reason: HoldfastError) => void>();
  #ended = false;

  constructor(name: string) {
    this.#name = name;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * What `work` gives.
   *
   * @throws HoldfastError `closed` at once when the hub is or gets closed, whatever becomes of the work
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended) throw this.#closed();
    let end: (reason: HoldfastError) => void = () => undefined;
    const ended = new Promise<never>((_, reject) => (end = reject));
    this.#running.add(end);
    try {
      return await Promise.race([work(), ended]);
    } finally {
      this.#running.delete(end);
    }
  }

  /** False when it had ended before. */
  end(): boolean {
    if (this.#ended) return false;
    this.#ended = true;
    for (const end of this.#running) end(this.#closed());
    return true;
  }

  #closed(): HoldfastError {
    return new HoldfastError('closed', `The hub ${this.#name} was closed.`);
  }
}
