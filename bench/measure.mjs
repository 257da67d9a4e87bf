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

/** How many calls make a round, when `n` of them took so long. */
const fitting = (n, nanoseconds, most) =>
  Math.max(1, Math.min(most, Math.round((n * roundMilliseconds * 1e6) / Math.max(nanoseconds, 1000))));

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
    const nanoseconds = await once(operation, n);
    if (most > 1) this.#counts.set(id, fitting(n, nanoseconds, most));
    return nanoseconds / n / per;
  }

  /** How many calls make the first round. Each round says how many make the next: calls get faster while they are compiled. */
  async #calibrate(operation, most) {
    if (most === 1) return 1;
    let n = Math.min(4, most);
    await once(operation, n);
    for (;;) {
      const nanoseconds = await once(operation, n);
      if (nanoseconds >= (roundMilliseconds * 1e6) / 4 || n >= most) return fitting(n, nanoseconds, most);
      n = Math.min(most, n * 4);
    }
  }
}
