/** One line on standard error that is written over and over; on anything but a terminal each new phase is one line. */
export class Progress {
  readonly #label: string;
  readonly #terminal = process.stderr.isTTY;
  #phase = '';
  #shown = false;

  constructor(label: string) {
    this.#label = label;
  }

  /** A phase without a known length. */
  say(phase: string): void {
    if (this.#terminal) this.#draw(`${this.#label}: ${phase} …`);
    else if (phase !== this.#phase) process.stderr.write(`${this.#label}: ${phase}\n`);
    this.#phase = phase;
  }

  /** A phase that has done `done` of `whole`; `detail` is for a terminal only. */
  part(phase: string, done: number, whole: number, detail = ''): void {
    if (!this.#terminal) return this.say(phase);
    const share = whole === 0 ? 1 : Math.min(1, done / whole);
    const filled = Math.round(share * 24);
    this.#draw(`${this.#label}: ${phase} ${'█'.repeat(filled)}${'░'.repeat(24 - filled)} ${String(Math.floor(share * 100)).padStart(3)}% ${detail}`);
  }

  /** A line that stays, above the progress. */
  print(line: string): void {
    this.clear();
    process.stdout.write(`${line}\n`);
  }

  clear(): void {
    if (this.#shown) process.stderr.write('\r\u001b[K');
    this.#shown = false;
  }

  #draw(text: string): void {
    const width = process.stderr.columns || 80;
    process.stderr.write(`\r\u001b[K${text.slice(0, width - 1)}`);
    this.#shown = true;
  }
}
