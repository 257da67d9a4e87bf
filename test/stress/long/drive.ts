import { fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { bundleFixture } from '../../support/bundle.ts';
import { VERIFIER } from '../check.ts';
import { readLogs, toHistory, type Death, type Operation } from '../history.ts';
import { settles } from '../patience.ts';
import { Random } from '../../support/random.ts';
import type { ActorOptions } from './actor-fixture.ts';
import { Actor } from './actor.ts';
import { deathsOf } from './deaths.ts';
import { countGenerations, overfull } from './disk.ts';
import { Disturber, type Disturbances } from './disturb.ts';
import { PROCESSES, WRITES_OF_ROUND } from './plan.ts';
import { checkRound, countFull, countWrites, endOf, type Round } from './round.ts';
import type { Phase } from './thread.ts';
import type { VerifierOptions } from './verifier-fixture.ts';

/*
 * Invariants
 * - Between two rounds nobody writes, and every realm that lives has read everything, as has a fresh process.
 * - A round begins with what the fresh process read at the end of the one before.
 * - After the first violation nothing is done any more, and the root and the round's histories stay.
 */

export interface LongOptions {
  /** How many are checked, at least. */
  readonly writes: number;
  readonly seed: number;
  /** Hears some times a second of about how many writes were done so far. */
  readonly onProgress?: (writes: number, figures: Figures) => void;
}

export interface Figures extends Disturbances {
  /** Writes that were acknowledged, in rounds that were checked. */
  readonly writes: number;
  /** Writes for which there was no room. */
  readonly full: number;
  /** Generations that journals began. */
  readonly compactions: number;
  readonly rounds: number;
}

export interface LongReport {
  readonly figures: Figures;
  readonly milliseconds: number;
  readonly violations: readonly string[];
  /** Where everything is, if there was a violation. */
  readonly directory: string | null;
  /** The one in which most was written: what is left for the last one may be a few writes. */
  readonly largest: Round | null;
}

const LOOK_EVERY_MS = 20;
/** How long all may take to come to rest, or a fresh process to read everything. */
const PATIENCE_MS = 120_000;
/** Bytes of logs for one write that are assumed before the first round has told. */
const BYTES_OF_WRITE = 200;

class LongStress {
  readonly #options: LongOptions;
  readonly #directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-stress-'));
  readonly #actors = new Set<Actor>();
  readonly #deaths = new Map<string, Death>();
  readonly #violations: string[] = [];
  readonly #disturber: Disturber;
  #programs: readonly string[] = [];
  #isEnding = false;
  #started = 0;
  #round = 0;
  #writes = 0;
  #full = 0;
  #bytesOfWrite = BYTES_OF_WRITE;
  #before: readonly Operation[] = [];
  #largest: Round | null = null;
  #mostWrites = 0;

  constructor(options: LongOptions) {
    this.#options = options;
    this.#disturber = new Disturber({
      random: new Random(options.seed),
      writes: options.writes,
      working: () => [...this.#actors].filter(({ isWorking }) => isWorking),
      replace: (actor) => this.#replace(actor),
      inspect: () => this.#violations.push(...overfull(this.#root)),
    });
    fs.mkdirSync(path.join(this.#directory, 'deaths'));
  }

  get #root(): string {
    return path.join(this.#directory, 'root');
  }

  get #isClean(): boolean {
    return this.#violations.length === 0;
  }

  get #figures(): Figures {
    const compactions = countGenerations(this.#root);
    return { ...this.#disturber.done, writes: this.#writes, full: this.#full, compactions, rounds: this.#round };
  }

  async run(): Promise<LongReport> {
    const begin = performance.now();
    this.#programs = await Promise.all(['actor', 'verifier'].map((name) => bundleFixture(new URL(`./${name}-fixture.ts`, import.meta.url))));
    this.#openRound(0);
    await this.#verify(false); // Makes what is always there.
    this.#openRound(1);
    for (let count = 0; count < PROCESSES; count++) this.#start();
    while (this.#writes < this.#options.writes && this.#isClean) await this.#workAndCheck();
    await this.#end();
    const report = { figures: this.#figures, milliseconds: performance.now() - begin, violations: this.#violations, largest: this.#largest };
    if (this.#isClean) fs.rmSync(this.#directory, { recursive: true, force: true });
    return { ...report, directory: this.#isClean ? null : this.#directory };
  }

  #logs(round: number): string {
    return path.join(this.#directory, 'logs', String(round));
  }

  #openRound(round: number): void {
    this.#round = round;
    fs.mkdirSync(this.#logs(round), { recursive: true });
  }

  #actorOptions(realm: string): ActorOptions {
    const seed = this.#options.seed + 1000 * this.#started;
    return { root: this.#root, logs: path.join(this.#directory, 'logs'), deaths: path.join(this.#directory, 'deaths'), realm, seed, round: this.#round };
  }

  #start(): Actor {
    const name = `p${++this.#started}`;
    const actor = new Actor(this.#programs[0] ?? '', this.#actorOptions(name));
    this.#actors.add(actor);
    void actor.exit.then(([code, signal]) => this.#ended(actor, signal ?? String(code)));
    return actor;
  }

  #ended(actor: Actor, how: string): void {
    this.#actors.delete(actor);
    if (actor.isKilled ? how === 'SIGKILL' : this.#isEnding && how === '0') return;
    this.#violations.push(`${actor.name} ended by itself: ${how}`);
  }

  async #replace(actor: Actor): Promise<void> {
    this.#deaths.set(actor.name, await actor.kill());
    void this.#start().tell({ phase: 'work', round: this.#round });
  }

  async #workAndCheck(): Promise<void> {
    await this.#tellAll('work');
    await this.#disturbUntilDone();
    await this.#tellAll('rest');
    await this.#tellAll('read');
    if (!this.#isClean) return;
    this.#violations.push(...overfull(this.#root));
    await this.#verify(false);
    if (this.#isClean) this.#openRound(this.#round + 1);
  }

  async #disturbUntilDone(): Promise<void> {
    const { writes, onProgress } = this.#options;
    const enough = Math.min(WRITES_OF_ROUND, writes - this.#writes);
    for (let done = 0; (done < enough || this.#disturber.isBehind(this.#writes + done)) && this.#isClean; ) {
      await pause(LOOK_EVERY_MS);
      done = Math.floor(this.#bytesOfLogs() / this.#bytesOfWrite);
      await this.#disturber.disturb(this.#writes + done);
      onProgress?.(this.#writes + done, this.#figures);
    }
    await this.#disturber.allResumed();
  }

  #bytesOfLogs(): number {
    const logs = this.#logs(this.#round);
    return fs.readdirSync(logs).reduce((sum, name) => sum + fs.statSync(path.join(logs, name)).size, 0);
  }

  async #tellAll(phase: Phase['phase']): Promise<void> {
    if (!this.#isClean) return;
    const all = [...this.#actors].map((actor) => actor.tell({ phase, round: this.#round }));
    if (!(await settles(Promise.all(all), PATIENCE_MS))) this.#violations.push(`round ${this.#round}: not all ${phase}: something that they wait for does not come`);
  }

  /** Closes all; then nothing is left over, and a fresh process reads what the last one has. */
  async #end(): Promise<void> {
    this.#isEnding = true;
    await this.#tellAll('close');
    if (this.#isClean) await this.#verify(true);
    await Promise.all([...this.#actors].map((actor) => actor.kill()));
  }

  /** Lets a fresh process read everything, and checks the round. */
  async #verify(isEnd: boolean): Promise<void> {
    const options: VerifierOptions = { ...this.#actorOptions(VERIFIER), isEnd };
    const child = fork(this.#programs[1] ?? '', [JSON.stringify(options)], { execArgv: [] });
    const exit = once(child, 'exit') as Promise<[number | null]>;
    if (!(await settles(exit, PATIENCE_MS))) {
      this.#violations.push(`round ${this.#round}: a lock was not to be had, or leftovers were not cleared away`);
      child.kill('SIGKILL');
    } else if ((await exit)[0] !== 0) this.#violations.push(`round ${this.#round}: the verifier failed`);
    this.#check();
  }

  #check(): void {
    const logs = this.#logs(this.#round);
    const lines = readLogs(logs);
    const history = toHistory(lines, deathsOf(lines.keys(), this.#deaths, path.join(this.#directory, 'deaths')));
    const round = { history, before: this.#before };
    this.#violations.push(...Object.values(checkRound(round)).flat().map((sentence) => `round ${this.#round}: ${sentence}`));
    if (!this.#isClean) return;
    const writes = countWrites(history);
    if (writes > 0) this.#bytesOfWrite = this.#bytesOfLogs() / writes;
    if (writes > this.#mostWrites) {
      this.#mostWrites = writes;
      this.#largest = round;
    }
    this.#writes += writes;
    this.#full += countFull(history);
    this.#before = endOf(history);
    fs.rmSync(logs, { recursive: true, force: true });
  }
}

/**
 * Lets processes of several threads work on one root whose quotas are small, kills and stops them, and checks round by
 * round what all of them were told, until enough writes are checked.
 */
export function stressLong(options: LongOptions): Promise<LongReport> {
  return new LongStress(options).run();
}
