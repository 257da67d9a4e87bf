import type { Wanted } from '../database-locks.ts';
import type { LockClient } from './lock-client.ts';
import { lockName } from './lock-names.ts';
import type { Turn, TurnEnds } from './turn.ts';
import { answerName, writeWant, type Want } from './want.ts';

export interface SolitudeOptions {
  readonly database: string;
  readonly wanted: Wanted;
  readonly onBlocked: () => void;
  /** How many connections of this realm are in the way. */
  readonly othersHere: () => number;
  readonly ends: TurnEnds;
}

let count = 0;

/**
 * A wait to be alone with a database. Invariants:
 * - everybody who has it open can see the want for as long as it waits;
 * - `onBlocked` is called at most once, when all who have it open, in this realm and in others, have been told, and
 *   before it is alone.
 */
export class Solitude {
  readonly turn: Turn;
  readonly #client: LockClient;
  readonly #want: Want;
  readonly #options: SolitudeOptions;
  readonly #lock: string;
  #isToldHere = false;
  #isBlocked = false;

  constructor(client: LockClient, options: SolitudeOptions) {
    this.#client = client;
    this.#options = options;
    this.#lock = lockName('c', options.database);
    this.#want = { id: `${client.id}-${++count}`, newVersion: options.wanted.newVersion };
    this.turn = client.request(this.#lock, 'exclusive', options.ends, writeWant(this.#want));
  }

  /** Has everybody told, and waits. `tellHere` tells the connections of this realm. */
  async wait(tellHere: () => Promise<void>): Promise<void> {
    if (this.turn.isHeld) return;
    const stops = [this.#lock, answerName(this.#want)].map((name) => this.#client.watch(name, () => this.#review()));
    try {
      this.#client.ring(this.#lock);
      this.#client.later(() => void this.#tellHere(tellHere));
      await this.turn.granted;
    } finally {
      for (const stop of stops) stop();
    }
  }

  async #tellHere(tell: () => Promise<void>): Promise<void> {
    await tell();
    this.#isToldHere = true;
    this.#review();
  }

  #review(): void {
    if (!this.#isToldHere || this.#isBlocked || !this.#isInTheWay()) return;
    this.#isBlocked = true;
    this.#options.onBlocked();
  }

  /** Whether somebody stays open though everybody was told. False where the journal cannot be read: the wait itself fails then. */
  #isInTheWay(): boolean {
    try {
      const others = this.#client.parties(this.#lock).held.filter(({ isOwn }) => !isOwn);
      const answers = this.#client.parties(answerName(this.#want)).held;
      const answered = new Set(answers.map(({ clientId }) => clientId));
      if (this.turn.isHeld || !others.every(({ clientId }) => answered.has(clientId))) return false;
      return others.length > 0 || this.#options.othersHere() > 0;
    } catch {
      return false;
    }
  }
}
