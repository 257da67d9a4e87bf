import { uptime } from '../runtime/timers.ts';

/** Back to the beginning of the line, and nothing in it. */
const ERASE = '\r\x1b[K';
const INTERVAL_MS = 200;
const BAR_CELLS = 24;

/** Shows on a terminal, now and then, how far long work has come; elsewhere nothing. */
export class Progress {
  readonly #isShown = process.stderr.isTTY === true;
  #last = uptime();

  /** `total`: null where nobody knows; `done` and `total` in whatever `show` makes text of. */
  update(done: number, total: number | null, show: (amount: number) => string): void {
    if (!this.#isShown || uptime() - this.#last < INTERVAL_MS) return;
    this.#last = uptime();
    process.stderr.write(`${ERASE}${total === null || total === 0 ? show(done) : `${bar(done / total)} ${show(done)} of ${show(total)}`}`);
  }

  end(): void {
    if (this.#isShown) process.stderr.write(ERASE);
  }
}

function bar(part: number): string {
  const full = Math.round(Math.min(1, part) * BAR_CELLS);
  return `[${'#'.repeat(full)}${' '.repeat(BAR_CELLS - full)}]`;
}
