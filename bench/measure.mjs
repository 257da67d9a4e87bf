// Runs in every contestant's process (and in Chromium's page): times rounds of one operation. No imports.

/** How long one round should take, so that the clock's grain and other processes matter little. */
const roundMilliseconds = 120;

async function once(operation, n) {
  const { prepare, run } = typeof operation === 'function' ? { run: operation } : operation;
  await prepare?.(n);
  const start = performance.now();
  const own = await run(n);
  return own ?? (performance.now() - start) * 1e6;
}

export class Rounds {
  #operations;
  #counts = new Map();

  constructor(operations) {
    this.#operations = operations;
  }

  /** Nanoseconds per call in one round, or null where the contestant cannot do the work. */
  async round({ id, most = 200_000, per = 1 }) {
    const operation = this.#operations[id];
    if (operation === undefined) return null;
    if (!this.#counts.has(id)) this.#counts.set(id, await this.#calibrate(operation, most));
    const n = this.#counts.get(id);
    return (await once(operation, n)) / n / per;
  }

  /** How many calls make a round; the first, cold ones do not decide. */
  async #calibrate(operation, most) {
    if (most === 1) return 1;
    let n = Math.min(4, most);
    await once(operation, n);
    for (;;) {
      const milliseconds = (await once(operation, n)) / 1e6;
      if (milliseconds >= roundMilliseconds / 4 || n >= most) {
        return Math.max(1, Math.min(most, Math.round((n * roundMilliseconds) / Math.max(milliseconds, 0.001))));
      }
      n = Math.min(most, n * 4);
    }
  }
}
