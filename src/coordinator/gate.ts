import { setImmediate } from '../runtime/timers.ts';
import { outsideContexts } from '../runtime/callback-context.ts';

/** A section of `blockConcurrencyWhile` that is under way. */
export interface Block {
  /** The event that is in it; empty for the constructor. */
  readonly event: string;
}

/** What waits for its turn to run alone. */
interface Resumption {
  /** The sections that it belongs to. */
  readonly blocks: readonly Block[];
  /** Whether it completes an operation of the storage. */
  readonly isStorage: boolean;
  readonly run: () => void;
}

/** Slots that are asked of the event loop at once: between any two of them all microtasks run. */
const SLOTS = 64;

/**
 * The input gate of one coordinator. It keeps these invariants:
 *
 * - (I1) an event begins in a task of its own, when no operation of the storage and no section of
 *   `blockConcurrencyWhile` is under way; with 'serial' also when the event before it has ended;
 * - (I2) what completes an operation of the storage, or another wait that goes through the gate, runs in a task of its
 *   own too; so all microtasks of what ran before have run;
 * - while a section is under way nothing runs but what belongs to it;
 * - events begin in the order in which they came.
 */
export class Gate {
  readonly #isSerial: boolean;
  readonly #events: (() => void)[] = [];
  readonly #resumptions: Resumption[] = [];
  readonly #blocks: Block[] = [];
  /** Operations of the storage that are under way. */
  #holds = 0;
  /** Events that have begun and not ended. */
  #active = 0;
  #slots = 0;
  #isClosed = false;

  constructor(isSerial: boolean) {
    this.#isSerial = isSerial;
  }

  /** Whether nothing runs, waits or is under way. */
  get isIdle(): boolean {
    return this.#active === 0 && this.#holds === 0 && this.#blocks.length === 0 && this.#events.length === 0 && this.#resumptions.length === 0;
  }

  /** Whether an event is about to begin in this round of the event loop. */
  get isAboutToBegin(): boolean {
    return this.#slots > 0 && this.#events.length > 0 && this.#isOpen;
  }

  get #isOpen(): boolean {
    return this.#holds === 0 && this.#blocks.length === 0 && !(this.#isSerial && this.#active > 0);
  }

  /** Events of which one that is under way keeps all others from beginning. */
  *holders(running: Iterable<string>): Generator<string> {
    for (const { event } of this.#blocks) yield event;
    if (this.#isSerial) yield* running;
  }

  /** Has an event begin in its turn; `ended` is to be called when it has. */
  enqueue(begin: () => void): void {
    this.#events.push(begin);
    this.#wake();
  }

  /** An event that was enqueued does not begin. */
  withdraw(begin: () => void): void {
    const at = this.#events.indexOf(begin);
    if (at >= 0) this.#events.splice(at, 1);
  }

  ended(): void {
    this.#active -= 1;
    if (this.#isSerial) this.#wake();
  }

  block(block: Block): void {
    this.#blocks.push(block);
  }

  unblock(block: Block): void {
    const at = this.#blocks.indexOf(block);
    if (at >= 0) this.#blocks.splice(at, 1);
    this.#wake();
  }

  /** An operation of the storage: it holds the gate, and what awaits it goes on alone. */
  async hold<Result>(blocks: readonly Block[], work: () => Promise<Result>): Promise<Result> {
    this.#holds += 1;
    const done = (): void => {
      this.#holds -= 1;
    };
    try {
      const result = await work();
      await this.#turn({ blocks, isStorage: true, run: done });
      return result;
    } catch (error) {
      if (this.#isClosed) throw error;
      await this.#turn({ blocks, isStorage: true, run: done });
      throw error;
    }
  }

  /** What awaits the result goes on alone. */
  async deliver<Result>(blocks: readonly Block[], promise: PromiseLike<Result>): Promise<Result> {
    try {
      const result = await promise;
      await this.pass(blocks);
      return result;
    } catch (error) {
      await this.pass(blocks);
      throw error;
    }
  }

  /** Resolves when what awaits it may go on. */
  pass(blocks: readonly Block[]): Promise<void> {
    return this.#turn({ blocks, isStorage: false, run: () => undefined });
  }

  #turn({ run, ...resumption }: Resumption): Promise<void> {
    return new Promise((resolve) => {
      this.#resumptions.push({
        ...resumption,
        run: () => {
          run();
          resolve();
        },
      });
      this.#wake();
    });
  }

  /** Nothing begins or goes on any more. */
  close(): void {
    this.#isClosed = true;
    this.#events.length = 0;
    this.#resumptions.length = 0;
  }

  #wake(): void {
    const waiting = Math.min(SLOTS, this.#events.length + this.#resumptions.length);
    outsideContexts(() => {
      for (; this.#slots < waiting; this.#slots++) setImmediate(this.#slot);
    });
  }

  readonly #slot = (): void => {
    this.#slots -= 1;
    const next = this.#next();
    if (next === null) return;
    next();
    if (this.#slots === 0) this.#wake();
  };

  #next(): (() => void) | null {
    const at = this.#resumptions.findIndex((each) => this.#isDue(each));
    if (at >= 0) return this.#resumptions.splice(at, 1)[0]?.run ?? null;
    const event = this.#isOpen ? this.#events.shift() : undefined;
    if (event === undefined) return null;
    this.#active += 1;
    return event;
  }

  #isDue({ blocks, isStorage }: Resumption): boolean {
    if (!isStorage && this.#holds > 0) return false;
    return this.#blocks.every((block) => blocks.includes(block));
  }
}
