import type { Alarm } from '../disk/coordinator/owned-records.ts';
import { atTaskEnd } from '../runtime/whole-task.ts';
import type { Rounds } from './rounds.ts';
import type { Store } from './store.ts';
import type { Output, PendingTurn } from './turn.ts';

/** Whose turns they are. */
export interface TurnOwner {
  readonly isLive: boolean;
  /** Whether more events are about to begin in this round of the event loop. */
  readonly isAboutToBegin: boolean;
  /** A turn that sets its alarm will be written soon. */
  expect(alarm: Alarm): void;
  /** A turn that sets its alarm is about to be written. */
  announce(alarm: Alarm): void;
  /** Somebody else owns: nothing of the turn leaves. */
  deposed(): void;
  /** The turn could not be written, as far as is known. */
  failed(error: unknown): void;
}

/**
 * Brings the turns of an instance to where they are kept, and lets their outputs leave. It keeps these invariants:
 *
 * - (rule 4) nothing leaves before the changes that were made before it are in the journal and, where there were none,
 *   before the journal has said that nobody else owns;
 * - one turn is on its way at a time; what happens meanwhile is the next one.
 */
export class OutputGate {
  readonly #turn: PendingTurn;
  readonly #store: Store;
  readonly #owner: TurnOwner;
  readonly #rounds: Rounds;
  #isFlushDue = false;
  #isSettling = false;

  constructor(turn: PendingTurn, store: Store, owner: TurnOwner, rounds: Rounds) {
    this.#turn = turn;
    this.#store = store;
    this.#owner = owner;
    this.#rounds = rounds;
  }

  /** Whether a turn is on its way to where it is kept, and what it wrote in doubt. */
  get isSettling(): boolean {
    return this.#isSettling;
  }

  output(output: Output): void {
    this.#turn.output(output);
    this.touch();
  }

  /**
   * The turn has got something. (rule 17) What runs until nothing is left to run is one turn. While more events are about
   * to begin in this round of the event loop, their turns go into one record, with one sync: all of them, or none.
   */
  touch(): void {
    if (this.#isFlushDue || !this.#owner.isLive) return;
    this.#isFlushDue = true;
    atTaskEnd(() => (this.#mayWait() ? this.#rounds.late(() => this.#flush()) : this.#flush()));
  }

  /** (rule 19) Where events of others are about to begin as well, the alarms that they all set go into one record of the index. */
  #mayWait(): boolean {
    const { alarm } = this.#turn;
    if (!alarm || !this.#rounds.hasDueEvents) return this.#owner.isAboutToBegin;
    this.#owner.expect(alarm);
    return true;
  }

  /** Writes the turn, and lets its outputs leave. */
  #flush(): void {
    this.#isFlushDue = false;
    if (!this.#owner.isLive || this.#turn.isEmpty || this.#isSettling) return;
    try {
      const settled = this.#settle();
      if (typeof settled === 'boolean') return this.#release(settled);
      this.#isSettling = true;
      settled.then((isOurs) => this.#arrived(isOurs), (error: unknown) => this.#owner.failed(error));
    } catch (error) {
      this.#owner.failed(error);
    }
  }

  /** False: somebody else owns. */
  #settle(): boolean | Promise<boolean> {
    this.#turn.depart();
    if (!this.#turn.hasChanges) return this.#store.check();
    // (rule 19) At worst somebody looks for nothing.
    const { alarm } = this.#turn;
    if (alarm) this.#owner.announce(alarm);
    const settlement = this.#store.settle(this.#turn.record());
    if (settlement === 'deposed') return false;
    this.#turn.written();
    return settlement === 'settled' || settlement.then((outcome) => outcome === 'settled');
  }

  #arrived(isOurs: boolean): void {
    this.#isSettling = false;
    if (!this.#owner.isLive) return;
    this.#release(isOurs);
    this.#flush();
  }

  #release(isOurs: boolean): void {
    if (isOurs) this.#turn.release();
    else this.#owner.deposed();
  }
}
