import { setImmediate } from '../runtime/timers.ts';
import { outsideContexts } from '../runtime/callback-context.ts';
import { atTaskEnd, runTask } from '../runtime/whole-task.ts';
import { Queue, type Queued } from './queue.ts';
import type { Rounds } from './rounds.ts';

/** A section of `blockConcurrencyWhile` that is under way. */
export interface Block {
  /** The event that is in it; empty for the constructor. */
  readonly event: string;
}

/** An event that waits for its turn. */
export interface Waiting extends Queued<Waiting> {
  /** Since when, by the clock. */
  readonly queuedAt: number;
  begin(): void;
}

/** What waits for its turn to go on alone. */
interface Resumption {
  /** The sections that it belongs to. */
  readonly blocks: readonly Block[];
  /** Whether it completes an operation of the storage. */
  readonly isStorage: boolean;
  readonly run: () => void;
}

/** Slots that are asked of the event loop at once: between any two of them all microtasks run. */
const SLOTS = 64;

/** Of gates at which nothing of the sort has been yet: most of those in memory rest. Nothing is put into these. */
const NO_RESUMPTIONS: Resumption[] = [];
const NO_BLOCKS: Block[] = [];

/**
 * The input gate of one coordinator. It keeps these invariants:
 *
 * - (I1) an event begins in a task of its own, when no operation of the storage and no section of
 *   `blockConcurrencyWhile` is under way; with 'serial' also when the event before it has ended;
 * - where no event is under way, the end of a task will do: all microtasks have run by then, and a turn of the event loop
 *   would cost as much as all the rest of a call;
 * - (I2) what completes an operation of the storage, or another wait that goes through the gate, runs in a task of its
 *   own too; so all microtasks of what ran before have run;
 * - while a section is under way nothing runs but what belongs to it, and no other one begins;
 * - events begin in the order in which they came.
 */
export class Gate {
  readonly #isSerial: boolean;
  readonly #rounds: Rounds;
  readonly #events = new Queue<Waiting>();
  #resumptions = NO_RESUMPTIONS;
  #blocks = NO_BLOCKS;
  /** Operations of the storage that are under way. */
  #holds = 0;
  /** Events that have begun and not ended. */
  #active = 0;
  #slots = 0;
  #isClosed = false;

  constructor(isSerial: boolean, rounds: Rounds) {
    this.#isSerial = isSerial;
    this.#rounds = rounds;
  }

  /** Whether nothing runs, waits or is under way. */
  get isIdle(): boolean {
    return this.#active === 0 && this.#holds === 0 && this.#blocks.length === 0 && this.#events.size === 0 && this.#resumptions.length === 0;
  }

  /** Whether an event is about to begin in this round of the event loop. */
  get isAboutToBegin(): boolean {
    return this.#slots > 0 && this.#events.size > 0 && this.#isOpen;
  }

  get #isOpen(): boolean {
    return this.#holds === 0 && this.#blocks.length === 0 && !(this.#isSerial && this.#active > 0);
  }

  /** Events of which one that is under way keeps all others from beginning. */
  *holders(running: Iterable<string>): Generator<string> {
    for (const { event } of this.#blocks) yield event;
    if (this.#isSerial) yield* running;
  }

  /** The event that has waited for longest; null: none does. */
  get first(): Waiting | null {
    return this.#events.first;
  }

  /** Has an event begin in its turn; `ended` is to be called when it has. */
  enqueue(event: Waiting): void {
    this.#events.add(event);
    this.#wake();
  }

  /** An event that was enqueued does not begin. */
  withdraw(event: Waiting): void {
    this.#events.remove(event);
  }

  ended(): void {
    this.#active -= 1;
    if (this.#isSerial) this.#wake();
  }

  /** Begins a section within those that it belongs to: at once (null), or where others are under way after these. */
  block(block: Block, blocks: readonly Block[]): Promise<void> | null {
    const begin = (): void => this.#begun(block);
    if (!this.#isWithin(blocks)) return this.#turn({ blocks, isStorage: false, run: begin });
    begin();
    return null;
  }

  #begun(block: Block): void {
    if (this.#blocks === NO_BLOCKS) this.#blocks = [];
    this.#blocks.push(block);
  }

  /** Whether all sections that are under way are among these. */
  #isWithin(blocks: readonly Block[]): boolean {
    return this.#blocks.every((block) => blocks.includes(block));
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
      if (this.#resumptions === NO_RESUMPTIONS) this.#resumptions = [];
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
    this.#events.clear();
    this.#resumptions = NO_RESUMPTIONS;
  }

  #wake(): void {
    const waiting = Math.min(SLOTS, this.#events.size + this.#resumptions.length);
    if (this.#slots < waiting && this.#mayHurry) this.#hurry();
    if (this.#slots < waiting) outsideContexts(() => this.#askFor(waiting));
  }

  #askFor(slots: number): void {
    while (this.#slots < slots) {
      this.#asked();
      setImmediate(() => this.#calmSlot());
    }
  }

  get #mayHurry(): boolean {
    return this.#rounds.mayHurry && this.#slots === 0 && this.#active === 0 && this.#resumptions.length === 0;
  }

  #hurry(): void {
    this.#rounds.hurried();
    this.#asked();
    atTaskEnd(() => this.#slot());
  }

  #asked(): void {
    this.#slots += 1;
    this.#rounds.asked();
  }

  #calmSlot(): void {
    this.#rounds.turned();
    runTask(() => this.#slot());
  }

  #slot(): void {
    this.#slots -= 1;
    this.#rounds.came();
    if (this.#next() && this.#slots === 0) this.#wake();
  }

  /** False: nothing may run. */
  #next(): boolean {
    const at = this.#resumptions.length === 0 ? -1 : this.#resumptions.findIndex((each) => this.#isDue(each));
    if (at >= 0) this.#resumptions.splice(at, 1)[0]?.run();
    else if (this.#isOpen && this.#events.size > 0) this.#begin();
    else return false;
    return true;
  }

  #begin(): void {
    this.#active += 1;
    this.#events.shift()?.begin();
  }

  #isDue({ blocks, isStorage }: Resumption): boolean {
    if (!isStorage && this.#holds > 0) return false;
    return this.#isWithin(blocks);
  }
}
