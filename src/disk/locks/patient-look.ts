import { setImmediate } from '../../runtime/timers.ts';

/** Looks at the news of a journal without being asked: where they are many, at a part of them in each turn of the event loop. */
export class PatientLook {
  readonly #lookSome: () => boolean;
  #isToGoOn = false;
  #closed = false;

  /** `lookSome`: looks at a part, and says whether there may be more. Never throws. */
  constructor(lookSome: () => boolean) {
    this.#lookSome = lookSome;
  }

  look(): void {
    if (this.#isToGoOn || this.#closed) return;
    this.#isToGoOn = this.#lookSome();
    if (this.#isToGoOn) setImmediate(() => this.#goOn());
  }

  #goOn(): void {
    this.#isToGoOn = false;
    this.look();
  }

  close(): void {
    this.#closed = true;
  }
}
