/**
 * Lets any number of callers share one piece of work, which answers each of them as of after its call: who comes while
 * it is under way shares the next one.
 */
export class Rounds<T> {
  readonly #work: () => Promise<T>;
  #running: Promise<T> | null = null;
  #next: Promise<T> | null = null;

  constructor(work: () => Promise<T>) {
    this.#work = work;
  }

  join(): Promise<T> {
    if (this.#running === null) return this.#begin();
    return (this.#next ??= this.#running.then(ignore, ignore).then(() => this.#begin()));
  }

  #begin(): Promise<T> {
    this.#next = null;
    const running = this.#work();
    this.#running = running;
    const end = (): void => {
      if (this.#running === running) this.#running = null;
    };
    running.then(end, end);
    return running;
  }
}

function ignore(): void {
  // Whoever shares it hears of it.
}
