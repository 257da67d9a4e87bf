import { outsideContexts } from '../runtime/callback-context.ts';
import { setImmediate } from '../runtime/timers.ts';

/** Slots that do without a turn of the event loop before one that has it, so that timers and sockets get theirs. */
const HURRIED = 16;

/** How the coordinators of one realm share the rounds of its event loop. */
export class Rounds {
  #hurried = 0;
  #due = 0;
  /** What is to be written once the events that are about to begin have; one callback of the event loop for all. */
  #late: (() => void)[] | null = null;

  /** Whether a slot may do without a turn of the event loop. */
  get mayHurry(): boolean {
    return this.#hurried < HURRIED;
  }

  hurried(): void {
    this.#hurried += 1;
  }

  /** The event loop has had a turn. */
  turned(): void {
    this.#hurried = 0;
  }

  /** Whether events of any coordinator may be about to begin. */
  get hasDueEvents(): boolean {
    return this.#due > 0;
  }

  /** A slot was asked for. */
  asked(): void {
    this.#due += 1;
  }

  /** A slot that was asked for has come. */
  came(): void {
    this.#due -= 1;
  }

  /** Behind the events that are about to begin in this round. */
  late(flush: () => void): void {
    if (this.#late !== null) return void this.#late.push(flush);
    this.#late = [flush];
    outsideContexts(() => setImmediate(() => this.#flushAll()));
  }

  #flushAll(): void {
    const all = this.#late;
    this.#late = null;
    if (all !== null) for (const flush of all) flush();
  }
}
