import { setImmediate, uptime } from '../../../../runtime/timers.ts';

/** Work that may take long gives way to others after so many milliseconds. */
const TURN_MS = 5;

/** Cuts long work into turns: to be awaited between its pieces. */
export class Turns {
  #began = uptime();

  async next(): Promise<void> {
    if (uptime() - this.#began < TURN_MS) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#began = uptime();
  }
}
