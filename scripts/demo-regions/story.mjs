/** What happens, with the time at which it does; on a terminal the clock runs meanwhile. */
export class Story {
  #start = performance.now();
  #clock;
  #last = '';
  #onTold;

  constructor(onTold) {
    this.#onTold = onTold;
    if (process.stderr.isTTY) this.#clock = setInterval(() => this.#show(), 200).unref();
  }

  get #time() {
    return `${((performance.now() - this.#start) / 1000).toFixed(1).padStart(5)} s`;
  }

  tell(what) {
    this.#erase();
    this.#last = what;
    this.#onTold();
    console.log(`${this.#time}  ${what}`);
  }

  #show() {
    process.stderr.write(`\r\u001b[K${this.#time}  … ${this.#last.slice(0, Math.max(20, (process.stderr.columns ?? 80) - 14))}`);
  }

  #erase() {
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  }

  end() {
    clearInterval(this.#clock);
    this.#erase();
  }
}
