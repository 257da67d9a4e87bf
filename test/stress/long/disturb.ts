import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Random } from '../../support/random.ts';
import type { Actor } from './actor.ts';
import { FULL_RUN } from './plan.ts';

/** What is done to processes while they work, and how often it was. */
export interface Disturbances {
  kills: number;
  /** Processes that were stopped for a while. */
  pauses: number;
  /** Threads that were ended while the others of their process went on. */
  terminations: number;
  /** How many times all were stopped at once, for a look at the disk. */
  standstills: number;
}

type Kind = keyof Disturbances;

const KINDS: readonly Kind[] = ['kills', 'pauses', 'terminations', 'standstills'];
const LONGEST_PAUSE_MS = 250;
const LOOK_EVERY_MS = 5;
/** Elsewhere nothing tells when a process has come to a stop. */
const CAN_STAND_STILL = existsSync('/proc/self/task');

export interface DisturberOptions {
  readonly random: Random;
  /** How many writes there will be. */
  readonly writes: number;
  readonly working: () => Actor[];
  /** Kills one, and starts another. */
  readonly replace: (actor: Actor) => Promise<void>;
  /** Looks at what is on the disk while nobody changes it. */
  readonly inspect: () => void;
}

/** Kills, stops and goes on with processes, as often as is due after so many writes. */
export class Disturber {
  readonly done: Disturbances = { kills: 0, pauses: 0, terminations: 0, standstills: 0 };
  readonly #options: DisturberOptions;
  readonly #paused = new Map<Actor, Promise<void>>();

  constructor(options: DisturberOptions) {
    this.#options = options;
  }

  /** Kinds that are due when so many writes were done. */
  #due(writes: number): Kind[] {
    const share = Math.min(1, writes / this.#options.writes);
    const planned = this.#options.writes / FULL_RUN.writes;
    return KINDS.filter((kind) => this.done[kind] < Math.floor(Math.ceil(FULL_RUN[kind] * planned) * share));
  }

  isBehind(writes: number): boolean {
    return this.#due(writes).length > 0;
  }

  /** Does one thing that is due, if there is somebody to whom it can be done. */
  async disturb(writes: number): Promise<void> {
    const due = this.#due(writes);
    // Some are killed while they are paused.
    const candidates = this.#options.working().filter((actor) => !this.#paused.has(actor) || this.#options.random.chance(0.2));
    if (due.length === 0 || candidates.length === 0) return;
    const kind = this.#options.random.pick(due);
    const actor = this.#options.random.pick(candidates);
    if (kind === 'pauses' && this.#paused.has(actor)) return;
    this.done[kind]++;
    if (kind === 'standstills') await this.#standStill();
    else await this.#disturbOne(kind, actor);
  }

  async #disturbOne(kind: Kind, actor: Actor): Promise<void> {
    if (kind === 'terminations') void actor.tell('terminate');
    else if (kind === 'pauses') this.#pause(actor);
    else await this.#options.replace(actor);
  }

  #pause(actor: Actor): void {
    actor.stop();
    const resumed = pause(1 + this.#options.random.below(LONGEST_PAUSE_MS)).then(() => {
      actor.resume();
      this.#paused.delete(actor);
    });
    this.#paused.set(actor, resumed);
  }

  async #standStill(): Promise<void> {
    await this.allResumed();
    if (!CAN_STAND_STILL) return;
    const all = this.#options.working();
    for (const actor of all) actor.stop();
    while (!all.every((actor) => actor.isStill)) await pause(LOOK_EVERY_MS);
    this.#options.inspect();
    for (const actor of all) actor.resume();
  }

  async allResumed(): Promise<void> {
    await Promise.all(this.#paused.values());
  }
}
