import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { StorageHost } from '../../../src/index.ts';
import { HistoryLog } from '../history.ts';
import { Random } from '../../support/random.ts';
import { Recorder } from '../recorder.ts';
import { CELLS, FILES, ORIGINS, Workload } from '../workload.ts';
import { COUNTERS, Counters } from './counters.ts';
import { COUNTING, HABITS, hostOptions } from './plan.ts';

export interface ThreadOptions {
  readonly root: string;
  /** Has a directory for each round. */
  readonly logs: string;
  readonly realm: string;
  readonly seed: number;
  readonly round: number;
}

/** What a thread is told to do; it answers when it works, has come to rest, has read everything, or has closed. */
export interface Phase {
  readonly phase: 'work' | 'rest' | 'read' | 'close';
  readonly round: number;
}

/** Items that a thread changes before it lets others have their turn. */
const BURST = 24;

/** One realm that works on all origins whenever it is told to. */
export class Thread {
  readonly #options: ThreadOptions;
  readonly #host: StorageHost;
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #workloads: readonly Workload[];
  readonly #counters: Counters;
  #round: number;
  #resting = true;
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: ThreadOptions) {
    this.#options = options;
    this.#round = options.round;
    this.#random = new Random(options.seed);
    this.#host = new StorageHost(hostOptions(options.root));
    const recorder = new Recorder(options.realm, this.#openLog(), true);
    this.#recorder = recorder;
    this.#workloads = ORIGINS.map((origin) => new Workload(this.#host.origin(origin), recorder, this.#random, HABITS));
    this.#counters = new Counters(this.#host.origin(COUNTING), recorder);
  }

  #openLog(): HistoryLog {
    return new HistoryLog(path.join(this.#options.logs, String(this.#round)), this.#options.realm);
  }

  async enter({ phase, round }: Phase): Promise<void> {
    if (phase === 'work') this.#begin(round);
    else if (phase === 'rest') await this.#rest();
    else if (phase === 'read') await this.readAll();
    else await this.#host.close();
  }

  #begin(round: number): void {
    if (round !== this.#round) {
      this.#round = round;
      this.#recorder.continueIn(this.#openLog());
    }
    this.#resting = false;
    this.#work = Promise.all([this.#again(() => this.#changeData()), this.#again(() => this.#useLocks())]);
  }

  async #rest(): Promise<void> {
    this.#resting = true;
    await this.#work;
  }

  async #again(work: () => Promise<void>): Promise<void> {
    while (!this.#resting) {
      await work();
      await turn();
    }
  }

  async #changeData(): Promise<void> {
    const work = this.#random.pick(this.#workloads);
    const kind = this.#random.next();
    if (kind < 0.75) this.#changeItems(work);
    else if (kind < 0.92) await work.changeFiles();
    else if (kind < 0.98) await work.useCell(this.#random.pick(CELLS), true);
    else await work.shareCell(this.#random.pick(CELLS));
  }

  #changeItems(work: Workload): void {
    for (let left = 1 + this.#random.below(BURST); left > 0; left--) {
      if (this.#random.chance(0.8)) work.changeStorage();
      else work.getItem(this.#random.pick(HABITS.keys));
    }
    if (this.#random.chance(0.1)) work.listItems();
  }

  async #useLocks(): Promise<void> {
    if (this.#random.chance(0.3)) await this.#random.pick(this.#workloads).useLock();
    else await this.#counters.count(...this.#random.pick(COUNTERS));
  }

  /** Nobody writes: all that read now must be told the same. */
  async readAll(): Promise<void> {
    for (const work of this.#workloads) {
      work.listItems();
      for (const key of HABITS.keys) work.getItem(key);
      await work.listFiles();
      for (const file of FILES) await work.readFile(file);
    }
  }

  /** Reads what only one can read at a time, too, and gets every lock. */
  async readLocked(locks: readonly string[]): Promise<void> {
    for (const work of this.#workloads) {
      for (const cell of CELLS) if (!(await work.useCell(cell, false))) throw new Error(`${cell} is locked by nobody, or does not fit`);
      for (const lock of locks) await work.takeLock(lock);
    }
    for (const [kind, name] of COUNTERS) await this.#counters.count(kind, name, false);
  }

  close(): Promise<void> {
    return this.#host.close();
  }
}

/** Whatever is in `swap/` and `trash/`, of all origins. */
export function leftovers(root: string): string[] {
  const origins = path.join(root, 'origins');
  return fs.readdirSync(origins).flatMap((origin) =>
    ['swap', 'trash'].flatMap((folder) => fs.readdirSync(path.join(origins, origin, 'default', folder)).map((name) => `${folder}/${name}`)),
  );
}
