import { Session } from 'node:inspector/promises';
import v8 from 'node:v8';

type Method = (this: unknown, ...args: unknown[]) => unknown;

/** Built-in methods that walk over what they are called on, and call nothing that would be counted. */
const walkers = ['indexOf', 'lastIndexOf', 'includes', 'slice', 'concat'] as const;

/** What `for`, spreading, and the constructors of Map and Set ask for each element. */
const iterators = [[], new Set(), new Map()].map((each) => Object.getPrototypeOf(each[Symbol.iterator]()) as { next: Method });

/**
 * Counts what code does: how often its functions and their branches and loops ran, as V8's coverage knows it, and how
 * many elements the whole program walked over by means of built-ins. So a test can tell a cost that grows with the
 * square from one that does not, on a machine that is busy with something else. Modules that are to be counted must be
 * imported after {@link start}.
 */
export class Executions {
  readonly #session = new Session();
  readonly #folders: readonly string[];
  #walked = 0;
  #restore: (() => void)[] = [];

  /** `folders`: parts of the paths of what is to be counted. */
  constructor(...folders: readonly string[]) {
    this.#folders = folders;
  }

  async start(): Promise<void> {
    // Optimized code no longer counts its calls.
    v8.setFlagsFromString('--max-optimized-bytecode-size=0');
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    const arrays = Array.prototype as unknown as Record<string, Method>;
    for (const name of walkers) this.#count(arrays, name, (array) => (array as unknown[]).length);
    for (const iterator of iterators) this.#count(iterator, 'next', () => 1);
  }

  /** How many there were since the last call. */
  async take(): Promise<number> {
    const walked = this.#walked;
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    let sum = walked;
    for (const { url, functions } of result) {
      if (!this.#folders.some((folder) => url.includes(folder))) continue;
      for (const { ranges } of functions) for (const { count } of ranges) sum += count;
    }
    this.#walked = 0;
    return sum;
  }

  stop(): void {
    for (const restore of this.#restore) restore();
    this.#session.disconnect();
  }

  #count<K extends string>(holder: Record<K, Method>, name: K, elements: (on: unknown) => number): void {
    const method = holder[name];
    const count = (on: unknown): number => (this.#walked += elements(on));
    holder[name] = function (...args) {
      count(this);
      return Reflect.apply(method, this, args);
    };
    this.#restore.push(() => (holder[name] = method));
  }
}
