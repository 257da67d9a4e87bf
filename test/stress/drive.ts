import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { StorageHostOptions } from '../../src/index.ts';
import { bundleFixture } from '../support/bundle.ts';
import type { ActorOptions } from './actor-fixture.ts';
import { check, type Violations } from './check.ts';
import { now, readLogs, toHistory, type Death, type History } from './history.ts';
import { settles } from './patience.ts';
import { Random } from '../support/random.ts';

export interface StressOptions {
  readonly kills: number;
  /** No kill after so many milliseconds. */
  readonly timeLimit: number;
  readonly seed: number;
  /** Options of every realm's host. */
  readonly host?: Partial<StorageHostOptions>;
  readonly onKill?: () => void;
}

export interface StressReport {
  readonly kills: number;
  readonly processes: number;
  readonly milliseconds: number;
  readonly history: History;
  readonly violations: Violations;
  /** Processes that ended on their own, or did not when they were told to. */
  readonly accidents: readonly string[];
  /** Where everything is, if there was a violation. */
  readonly directory: string | null;
}

const PROCESSES = 4;
const KILL_EVERY_MS = 100;
/** How long processes may take to stop, and what is left over to be cleared away. */
const PATIENCE_MS = 120_000;

/** A process that works; once it has ended, it is replaced. */
interface Actor {
  readonly name: string;
  readonly child: ChildProcess;
  /** Threads that have begun. */
  working: number;
  killed: boolean;
  readonly exit: Promise<unknown>;
}

class Stress {
  readonly #options: StressOptions;
  readonly #directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-stress-'));
  readonly #deaths = new Map<string, Death>();
  readonly #accidents: string[] = [];
  readonly #actors = new Set<Actor>();
  readonly #random: Random;
  #program = '';
  #processes = 0;
  #kills = 0;

  constructor(options: StressOptions) {
    this.#options = options;
    this.#random = new Random(options.seed);
    fs.mkdirSync(this.#logs);
  }

  get #logs(): string {
    return path.join(this.#directory, 'logs');
  }

  async run(): Promise<StressReport> {
    const begin = performance.now();
    this.#program = await bundleFixture(new URL('./actor-fixture.ts', import.meta.url));
    for (let slot = 0; slot < PROCESSES; slot++) this.#start();
    await this.#killAgainAndAgain();
    await Promise.all([...this.#actors].map((actor) => this.#stop(actor)));
    await this.#verify();
    const history = toHistory(readLogs(this.#logs), this.#deaths);
    const violations = check(history);
    const milliseconds = performance.now() - begin;
    const isClean = this.#accidents.length + Object.values(violations).flat().length === 0;
    if (isClean) fs.rmSync(this.#directory, { recursive: true, force: true });
    return {
      kills: this.#kills,
      processes: this.#processes,
      milliseconds,
      history,
      violations,
      accidents: this.#accidents,
      directory: isClean ? null : this.#directory,
    };
  }

  #actorOptions(name: string): string {
    const { seed, host = {} } = this.#options;
    const options: ActorOptions = { root: path.join(this.#directory, 'root'), logs: this.#logs, name, seed: seed + 2 * this.#processes, host };
    return JSON.stringify(options);
  }

  #start(): void {
    const name = `p${++this.#processes}`;
    const child = fork(this.#program, [this.#actorOptions(name)], { execArgv: [] });
    const actor: Actor = { name, child, working: 0, killed: false, exit: once(child, 'exit') };
    this.#actors.add(actor);
    child.on('message', () => actor.working++);
    child.on('error', () => {}); // Such as a message to one that is dead by now.
    child.on('exit', (code, signal) => this.#ended(actor, `${signal ?? code}`));
  }

  #ended(actor: Actor, how: string): void {
    this.#actors.delete(actor);
    if (actor.killed ? how === 'SIGKILL' : how === '0') return;
    this.#accidents.push(`${actor.name} ended by itself: ${how}`);
  }

  async #killAgainAndAgain(): Promise<void> {
    const { kills, timeLimit, onKill } = this.#options;
    const begin = performance.now();
    const elapsed = (): number => (performance.now() - begin) / timeLimit;
    while (this.#kills < kills && elapsed() < 1 && this.#accidents.length === 0) {
      await pause(KILL_EVERY_MS);
      // A machine too busy to start processes in time has to do with those of which one thread has begun.
      const threads = this.#kills / kills < elapsed() ? 1 : 2;
      const candidates = [...this.#actors].filter((actor) => actor.working >= threads);
      if (candidates.length === 0) continue;
      await this.#kill(this.#random.pick(candidates));
      this.#start();
      onKill?.();
    }
  }

  async #kill(actor: Actor): Promise<void> {
    actor.killed = true;
    this.#kills++;
    const signalled = now();
    actor.child.kill('SIGKILL');
    await actor.exit;
    const death = { signalled, gone: now() };
    for (const thread of ['m', 'w']) this.#deaths.set(`${actor.name}${thread}`, death);
  }

  async #stop(actor: Actor): Promise<void> {
    actor.child.send('stop');
    if (await settles(actor.exit, PATIENCE_MS)) return;
    this.#accidents.push(`${actor.name} did not stop: something that it waits for does not come`);
    await this.#kill(actor);
  }

  async #verify(): Promise<void> {
    const program = await bundleFixture(new URL('./verifier-fixture.ts', import.meta.url));
    const child = fork(program, [this.#actorOptions('verifier')], { execArgv: [] });
    const exit = once(child, 'exit') as Promise<[number | null]>;
    if (await settles(exit, PATIENCE_MS)) {
      if ((await exit)[0] !== 0) this.#accidents.push('the verifier failed');
    } else {
      this.#accidents.push('after all had ended, a lock was not to be had, or leftovers were not cleared away');
      child.kill('SIGKILL');
      await exit;
    }
  }
}

/** Lets processes work on one root, kills one after another at random, and looks at what all of them were told. */
export function stress(options: StressOptions): Promise<StressReport> {
  return new Stress(options).run();
}
