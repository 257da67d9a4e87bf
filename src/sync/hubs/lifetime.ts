import type { HoldfastError } from '../../runtime/holdfast-error.ts';

/** From something's beginning to its end, such as a hub's or a connection's. */
export class Lifetime {
  readonly #reason: () => HoldfastError;
  readonly #running = new Set<(reason: HoldfastError) => void>();
  #ended = false;

  /** @param reason what work is told that its time is over */
  constructor(reason: () => HoldfastError) {
    this.#reason = reason;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /**
   * What `work` gives.
   *
   * @throws HoldfastError the reason, as soon as it is over, whatever becomes of the work
   */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.#ended) throw this.#reason();
    let end: (reason: HoldfastError) => void = () => undefined;
    // One for each, for a promise that lives long keeps all that ever raced with it.
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
    for (const end of this.#running) end(this.#reason());
    return true;
  }
}
