import { nextTurn, uptime } from '../runtime/timers.ts';

/** How long others may be kept from their turn. */
const SLICE_MS = 8;

/** Lets others have their turn whenever enough was done. */
export class Slices {
  #begun = uptime();

  async rest(): Promise<void> {
    if (uptime() - this.#begun < SLICE_MS) return;
    await nextTurn();
    this.#begun = uptime();
  }
}
