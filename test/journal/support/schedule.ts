import { once } from 'node:events';
import fs from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { Journal, type JournalOptions } from './journal.ts';
import { Ledger } from './ledger.ts';
import { Random } from '../../support/random.ts';
import { FAIL, FAIL_AFTER, failures, IDLE, KILL, PROCEED, SHORT, sharedTurns, Turns } from './turns.ts';

/** What one actor is to do. */
export interface Part {
  readonly seed: number;
  readonly directory: string;
  readonly session: number;
  readonly options: Pick<JournalOptions, 'retain' | 'compactAt'>;
  readonly steps: Step[];
}

export interface Step {
  readonly action: 'append' | 'retry' | 'compact' | 'catch up' | 'suspend' | 'start anew';
  readonly size: number;
}

/** What became of one step. */
export interface Done extends Step {
  /** The clock at its beginning and its end. */
  start: number;
  end: number;
  /** How many records the actor's machine had applied at its end. */
  seen: number;
  record: string;
  place: number;
  error: string;
  /** Whether a fault was put into it. */
  faulted: boolean;
}

export interface Performance {
  readonly session: number;
  readonly done: Done[];
  readonly entries: string[];
  readonly killed: boolean;
}

const ACTORS = 3;

/** Actors that play parts on one journal, one system call at a time, in an order that a seed decides. */
export class Stage {
  readonly #workers: Worker[];
  readonly #turns: Turns;

  /** @param variant - the URL of the journal's module that the actors use. */
  constructor(fixture: string, variant: string) {
    const memory = sharedTurns(ACTORS);
    this.#turns = new Turns(memory);
    this.#workers = Array.from({ length: ACTORS }, (_, actor) => new Worker(fixture, { workerData: { actor, memory, variant } }));
  }

  async ready(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => once(worker, 'online')));
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  /** Plays the schedule of one seed in a new directory; returns what was violated. */
  async play(seed: number, parent: string): Promise<string[]> {
    const random = new Random(seed);
    const directory = join(parent, String(seed));
    seedMagics(random);
    Journal.create(directory);
    const results = this.#workers.map((worker) => once(worker, 'message') as Promise<[Performance]>);
    const options = { retain: random.below(3), compactAt: 300 + random.below(1500) };
    for (const [actor, worker] of this.#workers.entries()) {
      this.#turns.start(actor);
      const steps = Array.from({ length: 4 + random.below(8) }, () => randomStep(random));
      worker.postMessage({ seed: random.below(2 ** 31), directory, session: actor + 1, options, steps } satisfies Part);
    }
    this.#schedule(random);
    const performances = (await Promise.all(results)).map(([performance]) => performance);
    const found = [...judge(performances, history(directory)), ...aftermath(directory)];
    fs.rmSync(directory, { recursive: true });
    return found;
  }

  #schedule(random: Random): void {
    const turns = this.#turns;
    const switching = 0.05 + 0.9 * random.next();
    const faults = random.chance(0.4) ? 0 : random.next() * 0.25;
    // One actor may be left asleep for long.
    const sleeper = random.chance(0.3) ? random.below(ACTORS) : -1;
    for (let actor = 0; actor < ACTORS; actor++) turns.settle(actor);
    let current = 0;
    for (;;) {
      const awake = this.#waiting();
      if (awake.length === 0) return;
      if (!awake.includes(current) || random.chance(switching)) current = awake[random.below(awake.length)] ?? 0;
      if (current === sleeper && awake.length > 1 && !random.chance(0.02)) continue;
      this.#give(current, random.chance(faults), random);
    }
  }

  #waiting(): number[] {
    return this.#workers.map((_, actor) => actor).filter((actor) => this.#turns.state(actor) !== IDLE);
  }

  #give(actor: number, faulty: boolean, random: Random): void {
    if (!faulty) return this.#turns.give(actor, PROCEED, 0);
    const size = this.#turns.bytes(actor);
    const bytes = random.below(size + 1);
    const kind = random.below(size > 0 ? 20 : 10);
    if (kind === 0) this.#turns.give(actor, KILL, bytes);
    else if (kind < 5) this.#turns.give(actor, FAIL, random.below(failures.length));
    else if (kind < 10) this.#turns.give(actor, FAIL_AFTER, 0);
    else this.#turns.give(actor, SHORT, bytes);
  }
}

/** So that the magic of generation 0 is the same whenever a schedule is repeated. */
function seedMagics(random: Random): void {
  Object.defineProperty(crypto, 'getRandomValues', { configurable: true, value: (target: Uint8Array) => random.fill(target) });
}

function randomStep(random: Random): Step {
  const chosen = random.below(20);
  const size = random.chance(0.1) ? 300 : 1 + random.below(40);
  if (chosen < 11) return { action: 'append', size };
  if (chosen < 14) return { action: 'retry', size };
  if (chosen < 16) return { action: 'compact', size };
  if (chosen < 18) return { action: 'catch up', size };
  return { action: random.chance(0.5) ? 'suspend' : 'start anew', size };
}

/** What a newcomer finds in the journal. */
function history(directory: string): string[] {
  const ledger = new Ledger();
  const journal = new Journal(directory, ledger);
  try {
    journal.catchUp();
  } catch (error) {
    ledger.entries.push(`unreadable: ${String(error)}`);
  }
  journal.close();
  return ledger.entries;
}

/** The journal must be in order, and able to go on, whatever has happened. */
function aftermath(directory: string): string[] {
  const journal = new Journal(directory, new Ledger());
  try {
    journal.append(1, 99, 1, new Uint8Array(1));
    if (!journal.compact()) return ['no compaction is possible afterwards'];
    const names = fs.readdirSync(directory).filter((name) => name !== 'cand');
    const candidates = fs.readdirSync(join(directory, 'cand'));
    if (names.join() === String(journal.generation) && candidates.length === 0) return [];
    return [`left behind: ${[...names, ...candidates].join()}`];
  } catch (error) {
    return [`unusable afterwards: ${String(error)}`];
  } finally {
    journal.close();
  }
}

/** The model: one list of records, to which every actor's view and every answer must fit. */
function judge(performances: Performance[], entries: string[]): string[] {
  const found: string[] = [];
  const places = new Map(entries.map((entry, place) => [entry, place]));
  if (places.size !== entries.length) found.push('a record took effect twice');
  const all = performances.flatMap(({ done }) => done);
  const tried = new Set(all.map(({ record }) => record));
  for (const entry of entries) if (!tried.has(entry)) found.push(`invented: ${entry}`);
  for (const { session, entries: view } of performances) {
    if (view.some((entry, place) => entries[place] !== entry)) found.push(`the view of ${session} is no prefix of the history`);
  }
  for (const performance of performances) found.push(...judgeAnswers(performance, places));
  return [...found, ...judgeOrder(all)];
}

function judgeAnswers({ done, session, killed }: Performance, places: Map<string, number>): string[] {
  const found: string[] = [];
  for (const [index, { action, record, place, error, faulted }] of done.entries()) {
    const what = `${action} ${record} of ${session}`;
    // The dead are told nothing.
    if (killed && index === done.length - 1) continue;
    if (error !== '' && !error.startsWith('HoldfastError')) found.push(`${what}: ${error}`);
    if (record === '') {
      if (error !== '' && !faulted) found.push(`${what} failed without a fault: ${error}`);
    } else if (error === '') {
      if (places.get(record) !== place) found.push(`${what} was told ${place}, and is at ${places.get(record) ?? 'no place'}`);
    } else if (error.includes('already')) {
      if (!places.has(record)) found.push(`${what} is said to be there, and is not`);
    } else {
      if (!faulted) found.push(`${what} failed without a fault: ${error}`);
      const again = done.slice(index + 1).some((later) => later.record === record) || forgotten(done.slice(0, index), record);
      if (!error.includes('unknown') && !again && places.has(record)) found.push(`${what} failed for certain, and is there: ${error}`);
    }
  }
  return found;
}

/** Whether an append of this record was in doubt before its writer started anew, and so knew of no doubt any more. */
function forgotten(before: Done[], record: string): boolean {
  const doubted = before.findIndex((done) => done.record === record && done.error.includes('unknown'));
  return doubted !== -1 && before.slice(doubted).some(({ action }) => action === 'start anew');
}

const looksAtNothing = new Set(['suspend', 'start anew']);

/** What has ended before something else began must be seen by it. */
function judgeOrder(all: Done[]): string[] {
  const found: string[] = [];
  const acknowledged = all.filter(({ place, error }) => place >= 0 && error === '');
  for (const earlier of acknowledged) {
    for (const later of all) {
      if (later.start < earlier.end || later === earlier || later.error !== '' || looksAtNothing.has(later.action)) continue;
      // What is tried again may have landed the first time.
      const isFirst = later.action === 'append';
      if (isFirst && later.place <= earlier.place) found.push(`${later.record} is before ${earlier.record}`);
      if (later.seen <= earlier.place) found.push(`${later.action} did not see ${earlier.record}`);
    }
  }
  return found;
}
