import type { Surroundings } from './surroundings.ts';

/** What there is to do: the hub may have entries, the journal may have operations, what was sent has an answer, all ends. */
export type Signal = 'hub' | 'journal' | 'answer' | 'stop';

/** What one waiter waits on; signals that come while it does something else are kept for its next wait. */
export class Alarm {
  #signals = new Set<Signal>();
  #wake: (() => void) | null = null;

  ring(signal: Signal): void {
    this.#signals.add(signal);
    this.#wake?.();
  }

  /** The signals since the last wait: at once when there are any, else with the first; none when the time is over. */
  async wait(milliseconds: number, { after }: Pick<Surroundings, 'after'>): Promise<ReadonlySet<Signal>> {
    if (this.#signals.size === 0) {
      await new Promise<void>((resolve) => {
        const cancel = after(milliseconds, resolve);
        this.#wake = () => {
          cancel();
          resolve();
        };
      });
      this.#wake = null;
    }
    const signals = this.#signals;
    this.#signals = new Set();
    return signals;
  }
}
