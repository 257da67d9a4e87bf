import type { Surroundings } from '../../../src/sync/replicator/surroundings.ts';
import type { Chance } from '../../sync/simulation/chance.ts';

/** What has turns of its own: it can be stopped for a while, or for good. */
export interface Life {
  state: 'runs' | 'sleeps' | 'dead';
}

interface Turn {
  readonly at: number;
  readonly life: Life | null;
  readonly run: () => void;
}

/** The time of a simulated world: turns one after another, all that they set off done before the next. */
export class Clock {
  now = 0;
  readonly #chance: Chance;
  #turns: Turn[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** `life`: whose turn it is; null: the world's. */
  after(milliseconds: number, life: Life | null, run: () => void): () => void {
    if (milliseconds === Infinity) return () => undefined;
    const turn = { at: this.now + milliseconds, life, run };
    this.#turns.push(turn);
    return () => void (this.#turns = this.#turns.filter((each) => each !== turn));
  }

  /** What a relay takes from the world. */
  surroundings(life: Life): Surroundings {
    return {
      now: () => this.now,
      after: (milliseconds, callback) => this.after(milliseconds, life, callback),
      turn: () => new Promise((resolve) => this.after(this.#chance.next(), life, resolve)),
      random: () => this.#chance.next(),
      randomBytes: (length) => this.#chance.bytes(length),
    };
  }

  /** Until then, or until it holds; whether it does. */
  async run(until: number, holds: () => boolean = () => false): Promise<boolean> {
    for (;;) {
      await new Promise((resolve) => setImmediate(resolve));
      if (holds()) return true;
      const turn = this.#take(until);
      this.now = Math.max(this.now, turn?.at ?? until);
      if (turn === null) return false;
      turn.run();
    }
  }

  /** The turns of who sleeps wait for him; those of the dead are over. */
  #take(until: number): Turn | null {
    this.#turns = this.#turns.filter(({ life }) => life?.state !== 'dead');
    const due = this.#turns.filter(({ at, life }) => at <= until && life?.state !== 'sleeps');
    const first = due.reduce<Turn | null>((best, each) => (best !== null && best.at <= each.at ? best : each), null);
    if (first !== null) this.#turns.splice(this.#turns.indexOf(first), 1);
    return first;
  }
}
