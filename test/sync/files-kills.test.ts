import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { threadIdentity } from '../../src/runtime/identity.ts';
import type { ThreadIdentity } from '../../src/runtime/identity.ts';
import { decodeChange } from '../../src/sync/files/change.ts';
import { contentKey } from '../../src/sync/files/manifest.ts';
import { MemoryEngine } from '../support/memory-hub.ts';
import { isThorough } from '../support/thorough.ts';
import { atEnd, converge, Region } from './files-regions.ts';

const CHANGING = [
  'openSync', 'writeSync', 'mkdirSync', 'renameSync', 'linkSync', 'unlinkSync', 'rmdirSync', 'rmSync', 'fchmodSync', 'chmodSync', 'futimesSync', 'ftruncateSync',
] as const;

class Killed extends Error {}

/** Counts the system calls that change something in a directory, and from one of them on makes none any more. */
class Killer {
  /** Those that are still made. */
  left = Infinity;
  readonly killed: Promise<void>;
  readonly #directory: string;
  readonly #descriptors = new Set<number>();
  #tell = (): void => undefined;

  constructor(directory: string) {
    this.#directory = directory;
    this.killed = new Promise((resolve) => (this.#tell = resolve));
    for (const name of CHANGING) this.#watch(fs, name);
    this.#watch(fs.promises, 'rename');
    this.#watch(fs, 'write');
  }

  #watch<T extends object>(owner: T, name: keyof T & string): void {
    const original = owner[name] as (...values: unknown[]) => unknown;
    vi.spyOn(owner as Record<string, () => unknown>, name).mockImplementation(((...values: unknown[]) => {
      if (this.#concerns(name, values)) this.#step();
      const result = original.apply(owner, values);
      if (name === 'openSync' && this.#isInside(values[0])) this.#descriptors.add(result as number);
      return result;
    }) as () => unknown);
  }

  #concerns(name: string, [target, flags]: unknown[]): boolean {
    if (name === 'openSync') return this.#isInside(target) && (typeof flags === 'string' ? /[wa]/.test(flags) : ((flags as number) & fs.constants.O_CREAT) !== 0);
    return typeof target === 'number' ? this.#descriptors.has(target) : this.#isInside(target);
  }

  #isInside(target: unknown): boolean {
    return typeof target === 'string' && target.startsWith(this.#directory);
  }

  #step(): void {
    this.left -= 1;
    if (this.left >= 0) return;
    this.#tell();
    throw new Killed();
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

let threads = 0;

/** A region on a thread of its own, as far as the lock table is told. */
function regionOnThread(options: ConstructorParameters<typeof Region>[0], dead: ReadonlySet<number>): Region & { thread: number } {
  const thread = (threads += 1) + 2 ** 30;
  const identity: ThreadIdentity = { ...threadIdentity(), tid: thread };
  const region = new Region({ ...options, locks: { identity, probe: ({ tid }) => (dead.has(tid) ? 'dead' : 'alive'), leaseMs: 300 } });
  return Object.assign(region, { thread });
}

/** The versions of files that the order gets from now on, as a region sees it. Every content of the test is another. */
function filesWritten({ journal }: Region): string[] {
  const written: string[] = [];
  const { model } = journal.known;
  const confirm = model.confirm.bind(model);
  model.confirm = (operation) => {
    const { steps } = decodeChange(operation.payload);
    written.push(...steps.flatMap((step) => (step.type === 'file' ? [`${step.locator.join('/')} ${contentKey(step.manifest)}`] : [])));
    return confirm(operation);
  };
  return written;
}

async function prepare(region: Region): Promise<void> {
  for (const name of ['changes', 'goes', 'moves', 'd/stays', 'e/goes']) await region.write(name, name);
}

async function change(region: Region): Promise<void> {
  await region.write('changes', 'changed');
  await region.root.removeEntry('goes');
  await (await region.file('moves')).move('moved');
  await region.root.removeEntry('e', { recursive: true });
  await region.write('e', 'a file now');
  await region.write('d/new/one', 'new');
  const handle = await (await region.file('d/stays')).createSyncAccessHandle();
  handle.write(Buffer.from('written in place'));
  handle.close();
}

const CHANGED = {
  changes: 'changed',
  'd/': '',
  'd/new/': '',
  'd/new/one': 'new',
  'd/stays': 'written in place',
  e: 'a file now',
  moved: 'moves',
};

/** Of so many changes one is killed at. */
const STRIDE = isThorough ? 1 : 8;

/** Kills the victim at one of its changes after the other, and goes on each time with what it has left. */
async function killEverywhere(eager: boolean, whose: 'own' | 'others'): Promise<number> {
  let kills = 0;
  for (let at = 0; ; at += STRIDE) {
    const engine = new MemoryEngine();
    const dead = new Set<number>();
    const other = new Region({ engine, name: 'other' });
    const written = filesWritten(other);
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-files-'));
    atEnd(() => fs.rmSync(directory, { recursive: true, force: true }));
    const killer = new Killer(directory);
    const victim = regionOnThread({ engine, name: 'victim', eager, directory }, dead);
    await prepare(other);
    await converge(other, victim);
    if (whose === 'own') await victim.content(); // no stubs, so that nothing has to be fetched to be written in place
    await victim.disconnect();
    await victim.sync.stop();
    await change(whose === 'own' ? victim : other);
    if (whose === 'others') await converge(other);
    killer.left = at;
    const isDone = (async () => {
      victim.begin();
      await converge(other, victim);
      return true;
    })().catch(() => new Promise<never>(() => undefined));
    const survived = await Promise.race([isDone, killer.killed.then(() => false)]);
    await victim.close().catch(() => undefined);
    vi.restoreAllMocks();
    if (survived) return kills;
    kills += 1;
    dead.add(victim.thread);
    const next = regionOnThread({ engine, name: 'victim', eager, directory }, dead);
    await converge(other, next);
    expect(await next.content(), `killed at ${at}`).toEqual(CHANGED);
    expect(await other.content(), `killed at ${at}`).toEqual(CHANGED);
    expect(next.sync.conflicts()).toEqual([]);
    expect(written.filter((version, index) => written.indexOf(version) !== index), `killed at ${at}`).toEqual([]);
    await next.close();
    await other.close();
  }
}

describe('a region that is killed at any change that it makes', () => {
  it('while it makes its own changes known goes on with them, each once', async () => {
    expect(await killEverywhere(false, 'own')).toBeGreaterThan(20 / STRIDE);
  }, 600_000);

  it('while it takes over those of others goes on with them, and makes none of its own', async () => {
    expect(await killEverywhere(false, 'others')).toBeGreaterThan(40 / STRIDE);
  }, 600_000);

  it('while it fetches their content goes on with it', async () => {
    expect(await killEverywhere(true, 'others')).toBeGreaterThan(40 / STRIDE);
  }, 600_000);
});
