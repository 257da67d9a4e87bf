/**
 * Calls under kills, pauses, closes and full disks, and whether what came of them is what one coordinator, one call at a
 * time, gives.
 */
import type { ChildProcess } from 'node:child_process';
import { mulberry32 } from '../support/mulberry32.ts';
import { type Operation, unorderable } from './linearizable.ts';
import type { Deployment } from './servers.ts';
import { kill } from './servers.ts';

export interface Tally {
  calls: number;
  /** Calls of which nobody could say what became. */
  unknown: number;
  kills: number;
  pauses: number;
  closes: number;
  /** Times at which the disk refused everything for a while. */
  refusals: number;
  readonly violations: string[];
}

export interface ChaosOptions {
  readonly milliseconds: number;
  readonly callers: number;
  readonly seed: number;
  /** Milliseconds that a caller rests between two calls, at most. */
  readonly rest?: number;
  readonly onRound?: (tally: Tally) => void;
}

/** Histories are judged one round after another, each of coordinators of its own. */
const ROUND_MS = 10_000;

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export function newTally(): Tally {
  return { calls: 0, unknown: 0, kills: 0, pauses: 0, closes: 0, refusals: 0, violations: [] };
}

/** Plays for so many milliseconds with so many callers on three registers and a counter. */
export async function chaos(deployment: Deployment, { milliseconds, callers, seed, rest = 0, onRound }: ChaosOptions): Promise<Tally> {
  const tally = newTally();
  const random = mulberry32(seed);
  const end = Date.now() + milliseconds;
  for (let number = 0; Date.now() < end; number++) {
    const round = new Round(deployment, tally, random, `${number}`, Math.min(end, Date.now() + ROUND_MS));
    await Promise.all([disturb(deployment, tally, random, round.end), ...Array.from({ length: callers }, () => round.call(rest))]);
    await round.judge();
    onRound?.(tally);
  }
  return tally;
}

/** Some coordinators, the calls of them, and what is known of those. */
class Round {
  readonly end: number;
  readonly #deployment: Deployment;
  readonly #tally: Tally;
  readonly #random: () => number;
  readonly #name: string;
  readonly #histories = new Map<string, Operation[]>();
  #counted = 0;
  #doubtful = 0;
  #value = 0;

  constructor(deployment: Deployment, tally: Tally, random: () => number, name: string, end: number) {
    this.#deployment = deployment;
    this.#tally = tally;
    this.#random = random;
    this.#name = name;
    this.end = end;
  }

  async call(rest: number): Promise<void> {
    while (Date.now() < this.end) {
      await this.#one();
      if (rest > 0) await later(this.#random() * rest);
    }
  }

  async #one(): Promise<void> {
    const name = `r${Math.floor(this.#random() * 3)}-${this.#name}`;
    const stub = this.#deployment.stub(name);
    const dice = this.#random();
    const written = (this.#value += 1000);
    if (dice < 0.2) await this.#note(name, 'read', 0, () => stub.read());
    else if (dice < 0.4) await this.#note(name, 'write', written, () => stub.write(written));
    else if (dice < 0.5) await this.#note(name, 'increment', 0, () => stub.slowIncrement());
    else if (dice < 0.8) await this.#note(name, 'increment', 0, () => stub.increment());
    else await this.#count();
  }

  async #note(name: string, kind: Operation['kind'], written: number, call: () => Promise<number | void>): Promise<void> {
    const operation: Operation = { kind, written, began: performance.now(), ended: Infinity, result: null };
    const history = this.#histories.get(name) ?? [];
    this.#histories.set(name, history);
    history.push(operation);
    this.#tally.calls += 1;
    try {
      operation.result = Number((await call()) ?? 0);
      operation.ended = performance.now();
    } catch (error) {
      const { outcome } = error as { outcome?: string };
      if (outcome === 'not-run') history.splice(history.indexOf(operation), 1);
      else if (outcome === 'unknown' || outcome === 'partial') this.#tally.unknown += 1;
      else this.#tally.violations.push(`a call failed otherwise: ${String(error)}`);
    }
  }

  async #count(): Promise<void> {
    this.#tally.calls += 1;
    try {
      await this.#counter.counted();
      this.#counted += 1;
    } catch (error) {
      if ((error as { outcome?: string }).outcome !== 'not-run') this.#doubtful += 1;
    }
  }

  get #counter(): ReturnType<Deployment['stub']> {
    return this.#deployment.stub(`counter-${this.#name}`);
  }

  async judge(): Promise<void> {
    const { violations } = this.#tally;
    for (const [name, history] of this.#histories) {
      const stuck = unorderable(history);
      if (stuck !== null) violations.push(`${name} has no order: ${JSON.stringify(stuck)}`);
    }
    const runs = Object.values(await persistently(() => this.#counter.runs()));
    const total = await persistently(() => this.#counter.read());
    const [counted, doubtful] = [this.#counted, this.#doubtful];
    if (runs.some((count) => count !== 1)) violations.push('a call was run twice');
    if (runs.length !== total || total < counted || total > counted + doubtful) violations.push(`${counted} calls were answered, ${runs.length} ran, the count is ${total}`);
    this.#tally.unknown += doubtful;
  }
}

/** A disk that is full for a while may refuse the first. */
async function persistently<Result>(call: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === 20) throw error;
      await later(100);
    }
  }
}

/** Has something happen to one process after another. */
async function disturb(deployment: Deployment, tally: Tally, random: () => number, end: number): Promise<void> {
  while (Date.now() < end) {
    await later(100 + random() * 500);
    const { servers } = deployment;
    const victim = servers[Math.floor(random() * servers.length)];
    if (victim !== undefined) await strike(deployment, victim, tally, random);
  }
}

async function strike(deployment: Deployment, victim: ChildProcess, tally: Tally, random: () => number): Promise<void> {
  const dice = random();
  if (dice < 0.35) {
    tally.pauses += 1;
    victim.kill('SIGSTOP');
    void later(300 + random() * 500).then(() => victim.kill('SIGCONT'));
    return;
  }
  if (dice < 0.55) {
    tally.refusals += 1;
    victim.kill('SIGUSR2');
    return;
  }
  const { servers } = deployment;
  servers.splice(servers.indexOf(victim), 1);
  if (dice < 0.85) {
    tally.kills += 1;
    await kill(victim);
  } else {
    tally.closes += 1;
    victim.kill('SIGCONT');
    victim.kill('SIGTERM');
  }
  await deployment.add();
}
