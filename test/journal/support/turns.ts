/*
 * How the scheduler (the test's thread) and the actors (worker threads) hand the turn to each other: at any time at
 * most one thread runs, and it runs up to its next system call.
 */

export const IDLE = 0;
export const RUNNING = 1;
export const WAITING = 2;

/** What an actor that waits before a system call is told to do. */
export const PROCEED = 1;
export const KILL = 2; // die; a write() gets as far as `argument` bytes before
export const FAIL = 3; // the call does nothing and fails, with the code that `argument` tells
export const FAIL_AFTER = 4; // the call does its work, and fails
export const SHORT = 5; // a write() takes only `argument` bytes

export const failures = ['EIO', 'ENOSPC', 'EMFILE'] as const;

const CLOCK = 0;
const FIRST_ACTOR = 1;
const FIELDS = 4;
const STATE = 0;
const COMMAND = 1;
const ARGUMENT = 2;
/** How many bytes the write() that an actor waits for has; 0 for other calls. */
const BYTES = 3;

export function sharedTurns(actors: number): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * (FIRST_ACTOR + actors * FIELDS));
}

export class Turns {
  readonly #cells: Int32Array;
  readonly actors: number;

  constructor(memory: SharedArrayBuffer) {
    this.#cells = new Int32Array(memory);
    this.actors = (this.#cells.length - FIRST_ACTOR) / FIELDS;
  }

  #cell(actor: number, field: number): number {
    return FIRST_ACTOR + actor * FIELDS + field;
  }

  /** Grows with every system call of any actor. */
  get clock(): number {
    return Atomics.load(this.#cells, CLOCK);
  }

  state(actor: number): number {
    return Atomics.load(this.#cells, this.#cell(actor, STATE));
  }

  bytes(actor: number): number {
    return Atomics.load(this.#cells, this.#cell(actor, BYTES));
  }

  /** Scheduler: the actor is about to run, until {@link settle} sees it wait or idle. */
  start(actor: number): void {
    Atomics.store(this.#cells, this.#cell(actor, STATE), RUNNING);
  }

  settle(actor: number): void {
    const cell = this.#cell(actor, STATE);
    while (Atomics.load(this.#cells, cell) === RUNNING) {
      if (Atomics.wait(this.#cells, cell, RUNNING, 30_000) === 'timed-out') throw new Error(`actor ${actor} hangs`);
    }
  }

  /** Scheduler: gives the turn to an actor that waits, and takes it back at its next system call. */
  give(actor: number, command: number, argument: number): void {
    Atomics.add(this.#cells, CLOCK, 1);
    this.start(actor);
    Atomics.store(this.#cells, this.#cell(actor, ARGUMENT), argument);
    Atomics.store(this.#cells, this.#cell(actor, COMMAND), command);
    Atomics.notify(this.#cells, this.#cell(actor, COMMAND));
    this.settle(actor);
  }

  /** Actor: waits for its turn before a system call. */
  take(actor: number, bytes: number): { command: number; argument: number } {
    Atomics.store(this.#cells, this.#cell(actor, BYTES), bytes);
    this.#yield(actor, WAITING);
    Atomics.wait(this.#cells, this.#cell(actor, COMMAND), 0);
    const command = Atomics.exchange(this.#cells, this.#cell(actor, COMMAND), 0);
    return { command, argument: Atomics.load(this.#cells, this.#cell(actor, ARGUMENT)) };
  }

  /** Actor: has nothing more to do. */
  finish(actor: number): void {
    this.#yield(actor, IDLE);
  }

  #yield(actor: number, state: number): void {
    Atomics.store(this.#cells, this.#cell(actor, STATE), state);
    Atomics.notify(this.#cells, this.#cell(actor, STATE));
  }
}
