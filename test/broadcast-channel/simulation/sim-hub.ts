import { HoldfastError } from '../../../src/runtime/holdfast-error.ts';
import type { HubLog, NewEntry } from '../../../src/sync/hub.ts';
import { MemoryLog } from '../../support/memory-hub.ts';
import type { Chance } from '../../sync/simulation/chance.ts';
import type { Clock, Life } from './clock.ts';

/** How a region reaches the hub. */
export interface Way {
  /** Nothing of it arrives, in either direction. */
  isCut: boolean;
}

/** A hub's log behind ways that are slow, lose what goes over them, and can be cut. */
export class SimHub {
  readonly log = new MemoryLog('epoch');
  /** Hears of entries at the moment of their append. */
  onAppend: (entries: readonly NewEntry[]) => void = () => undefined;
  /** Of what goes over a way: how often it is lost. */
  loss = 0;
  readonly #clock: Clock;
  readonly #chance: Chance;

  constructor(clock: Clock, chance: Chance) {
    this.#clock = clock;
    this.#chance = chance;
  }

  /** The log as a process sees it over the way of its region. */
  seenBy(life: Life, way: Way): HubLog {
    const ask = <T>(act: () => T): Promise<T> => this.#ask(life, way, act);
    const unused = (): Promise<never> => Promise.reject(new Error('Channels have neither snapshots to read nor blobs.'));
    return {
      head: () => ask(() => this.log.head()),
      append: (entries) => ask(() => this.#append(entries)),
      read: (after, limit) => ask(() => this.log.read(after, limit)),
      subscribe: (onNews) => this.#subscribe(life, way, onNews),
      putSnapshot: (snapshot) => ask(() => this.log.putSnapshot(snapshot)),
      trim: (upTo) => ask(() => this.log.trim(upTo)),
      snapshot: unused,
      putBlob: unused,
      getBlob: unused,
      hasBlobs: unused,
      collectBlobs: unused,
    };
  }

  #append(entries: readonly NewEntry[]): number {
    const position = this.log.append(entries);
    this.onAppend(entries);
    for (const tell of this.log.subscribers) tell();
    return position;
  }

  #subscribe(life: Life, way: Way, onNews: () => void): () => void {
    const tell = (): void => {
      if (this.#arrives(way)) this.#clock.after(this.#delay(), life, onNews);
    };
    this.log.subscribers.add(tell);
    return () => this.log.subscribers.delete(tell);
  }

  /** What was sent arrives also when whoever has sent it is dead by then. */
  #ask<T>(life: Life, way: Way, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const lose = (): void => void (this.#chance.is(0.5) && this.#clock.after(this.#delay(), life, () => reject(away())));
      const answer = (settle: () => void): void => {
        if (this.#arrives(way)) this.#clock.after(this.#delay(), life, () => (way.isCut ? reject(away()) : settle()));
        else lose();
      };
      if (!this.#arrives(way)) return lose();
      this.#clock.after(this.#delay(), null, () => {
        if (way.isCut) return lose();
        try {
          const value = act();
          answer(() => resolve(value));
        } catch (error) {
          answer(() => reject(error as Error));
        }
      });
    });
  }

  #arrives(way: Way): boolean {
    return !way.isCut && !this.#chance.is(this.loss);
  }

  /** Mostly short; now and then longer than anybody waits. */
  #delay(): number {
    return this.#chance.is(0.98) || this.loss === 0 ? 1 + this.#chance.next() * 40 : this.#chance.next() * 5000;
  }
}

function away(): HoldfastError {
  return new HoldfastError('hub-unreachable', 'The way to the hub is cut.');
}
