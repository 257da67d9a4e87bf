import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeWithSqlite } from '../records/support/other-node.ts';
import { bundleFixture } from '../support/bundle.ts';
import type { ClerkOptions } from './clerk-fixture.ts';
import type { HouseCall } from './house-fixture.ts';

// Processes and threads that all keep the same books: whatever they do at once, and whenever one is killed, it must look
// as if one transaction had come after another.

interface Message {
  /** Of a clerk in a house. */
  readonly id?: number;
  readonly did?: true;
  readonly wrong?: string;
  readonly stopped?: true;
  readonly ended?: true;
}

const clerkFixture = bundleFixture(new URL('./clerk-fixture.ts', import.meta.url));
const houseFixture = bundleFixture(new URL('./house-fixture.ts', import.meta.url));
let directory: string;
let clerks: Set<Clerk>;
let houses: ChildProcess[];
let wrong: string[];
let clerkCount = 0;
let node = process.execPath;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-books-'));
  fs.writeFileSync(path.join(directory, 'ledger'), '');
  clerks = new Set();
  houses = [];
  wrong = [];
});

afterEach(async () => {
  await Promise.all([...clerks].map((clerk) => clerk.kill()));
  for (const house of houses) house.kill('SIGKILL');
  fs.rmSync(directory, { recursive: true, force: true });
});

function run(...args: string[]): ChildProcess {
  return spawn(node, ['--no-warnings', ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** One in a process of its own, or in a thread of a house. */
class Clerk {
  readonly id = ++clerkCount;
  readonly ended: Promise<void>;
  /** What it has done so far. */
  deeds = 0;
  readonly #process: ChildProcess;
  readonly #house: boolean;
  #hasStopped = false;

  private constructor(process: ChildProcess, isInHouse: boolean) {
    this.#process = process;
    this.#house = isInHouse;
    clerks.add(this);
    this.ended = new Promise((resolve) => {
      process.on('message', (message: Message) => {
        if (!isInHouse || message.id === this.id) this.#receive(message, resolve);
      });
      process.once('exit', (code, signal) => {
        if (clerks.has(this) && !this.#hasStopped) wrong.push(`clerk ${this.id} has ended: ${code ?? signal}`);
        resolve();
      });
    });
  }

  static async start(house?: ChildProcess): Promise<Clerk> {
    const file = await clerkFixture;
    const options: ClerkOptions = { root: path.join(directory, 'root'), ledger: path.join(directory, 'ledger'), seed: clerkCount + 1 };
    const clerk = new Clerk(house ?? run(file, JSON.stringify(options)), house !== undefined);
    if (house !== undefined) clerk.#call({ name: 'start', id: clerk.id, options });
    return clerk;
  }

  /** Another one in the same place. */
  replace(): Promise<Clerk> {
    return Clerk.start(this.#house ? this.#process : undefined);
  }

  #receive(message: Message, ended: () => void): void {
    if (message.did === true) this.deeds++;
    if (message.wrong !== undefined) wrong.push(message.wrong);
    if (message.stopped === true) this.#hasStopped = true;
    if (message.ended === true) ended();
  }

  #call(call: HouseCall): void {
    this.#process.send(call);
  }

  /** Has it come to its end; it must get there. */
  async stop(): Promise<void> {
    this.#call({ name: 'stop', id: this.id });
    await this.ended;
    clerks.delete(this);
    expect(this.#hasStopped).toBe(true);
  }

  async kill(): Promise<void> {
    clerks.delete(this);
    if (this.#house) this.#call({ name: 'kill', id: this.id });
    else this.#process.kill('SIGKILL');
    await this.ended;
  }
}

async function openHouse(): Promise<ChildProcess> {
  const house = run(await houseFixture, await clerkFixture);
  houses.push(house);
  return house;
}

/** How long nobody may do anything before it is told who waits, in milliseconds. */
const STUCK_MS = 120_000;

/** Each of them does so much more, or something is wrong. */
async function work(deeds: number): Promise<void> {
  const goals = Array.from(clerks, (clerk) => [clerk, clerk.deeds + deeds] as const);
  const behind = (): Clerk[] => goals.filter(([clerk, goal]) => clerk.deeds < goal).map(([clerk]) => clerk);
  let done = 0;
  for (let since = Date.now(); wrong.length === 0 && behind().length > 0; ) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    const all = goals.reduce((sum, [clerk]) => sum + clerk.deeds, 0);
    if (all > done) since = Date.now();
    done = all;
    if (Date.now() - since > STUCK_MS) wrong.push(`nobody does anything; waiting: ${behind().map(({ id }) => id).join()}`);
  }
  expect(wrong).toEqual([]);
}

async function stopAll(): Promise<void> {
  for (const clerk of [...clerks]) await clerk.stop();
}

async function keepBooks(kills: number): Promise<void> {
  await work(15);
  for (let kill = 0; kill < kills; kill++) {
    const victim = [...clerks][kill % clerks.size];
    await work(1 + (kill % 3));
    await victim?.kill();
    await victim?.replace();
    await work(4);
  }
  await stopAll();
  // Whoever comes now finds them right too, and can write.
  await Clerk.start();
  await work(30);
  await stopAll();
  expect(wrong).toEqual([]);
  expect(fs.statSync(path.join(directory, 'ledger')).size).toBeGreaterThan(5);
}

/** One that has SQLite of its own; and this one, where it has none and needs the peer. */
const nodes = new Set([nodeWithSqlite ?? process.execPath, process.execPath]);

describe.each([...nodes])('books that many keep at once are right at any time, with %s', { timeout: 300_000 }, (path) => {
  beforeEach(() => {
    node = path;
  });

  it('by processes', async () => {
    for (let count = 0; count < 3; count++) await Clerk.start();
    await keepBooks(0);
  });

  it('by processes of which some are killed', async () => {
    for (let count = 0; count < 3; count++) await Clerk.start();
    await keepBooks(6);
  });

  it('by threads of one process, and another process, of which some are ended', async () => {
    const house = await openHouse();
    for (const place of [house, house, undefined]) await Clerk.start(place);
    await keepBooks(6);
  });
});
