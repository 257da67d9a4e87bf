import { describe, expect, it } from 'vitest';
import type { TreeError } from '../../src/disk/tree/tree-error.ts';
import { MemoryEngine } from '../support/memory-hub.ts';
import { converge, Region } from './files-regions.ts';

/** A sequence of numbers that looks like chance and is the same for the same seed. */
class Chance {
  #state: number;

  constructor(seed: number) {
    this.#state = seed * 2654435761 + 1;
  }

  /** In [0, below). */
  next(below: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) >>> 0;
    return Math.floor((this.#state / 2 ** 32) * below);
  }

  of<T>(items: readonly T[]): T {
    const item = items[this.next(items.length)];
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  }
}

const FILES = ['a', 'b', 'd/a', 'd/b', 'd/e/a', 'c'] as const;
const PLACES = [...FILES, 'd', 'd/e', 'f'];

/** Bytes; so that journals are compacted many times. */
const COMPACT_AT = 4096;

/** What the web says when somebody else was there: another file or directory, none, or one that is in use. */
const EXPECTED = new Set(['NotFoundError', 'TypeMismatchError', 'InvalidModificationError', 'NoModificationAllowedError', 'NotReadableError']);

class World {
  readonly engine = new MemoryEngine();
  readonly regions: Region[];
  readonly #chance: Chance;
  #written = 0;

  constructor(seed: number) {
    this.#chance = new Chance(seed);
    this.regions = ['a', 'b', 'c'].map((name) => new Region({ engine: this.engine, name, eager: name === 'c', compactAt: COMPACT_AT }));
  }

  async step(): Promise<void> {
    const at = this.#chance.next(this.regions.length);
    const region = this.regions[at];
    if (region === undefined) return;
    const action = this.#chance.next(100);
    if (action < 4) await region.disconnect();
    else if (action < 10) await reconnect(region);
    else if (action < 12) this.engine.away = !this.engine.away;
    else if (action < 15) await this.#reopen(at, region);
    else if (action < 25) await Promise.race([region.sync.captured(), pause(this.#chance.next(60))]);
    else await tolerating(() => this.#act(region, action));
  }

  /** Its process ends, and another one goes on. */
  async #reopen(at: number, region: Region): Promise<void> {
    await region.close();
    const { name, engine, directory } = region;
    this.regions[at] = new Region({ name, engine, directory, eager: name === 'c', compactAt: COMPACT_AT });
  }

  async #act(region: Region, action: number): Promise<void> {
    const place = this.#chance.of(PLACES);
    if (action < 55) return region.write(this.#chance.of(FILES), `${region.name} ${(this.#written += 1)} ${'x'.repeat(this.#chance.next(20))}`);
    if (action < 63) return void (await region.folder(place, true));
    if (action < 73) return removePlace(region, place);
    if (action < 83) return this.#move(region, place, this.#chance.of(PLACES));
    if (action < 93) return this.#writeInPlace(region, this.#chance.of(FILES));
    return void (await region.read(this.#chance.of(FILES)));
  }

  async #move(region: Region, source: string, target: string): Promise<void> {
    const names = target.split('/');
    const last = names.pop() ?? '';
    const from = source.split('/');
    const name = from.pop() ?? '';
    const parent = await region.folder(from.join('/'));
    const into = await region.folder(names.join('/'));
    const file = await parent.getFileHandle(name).catch(() => parent.getDirectoryHandle(name));
    await file.move(into, last);
  }

  async #writeInPlace(region: Region, name: string): Promise<void> {
    const handle = await (await region.file(name)).createSyncAccessHandle();
    try {
      handle.write(Buffer.from(`in place ${(this.#written += 1)}`), { at: this.#chance.next(4) });
      if (this.#chance.next(2) === 0) handle.flush();
      await pause(this.#chance.next(60));
    } finally {
      handle.close();
    }
  }

  async settle(): Promise<void> {
    this.engine.away = false;
    for (const region of this.regions) await reconnect(region);
    await converge(...this.regions);
  }
}

async function reconnect(region: Region): Promise<void> {
  await region.disconnect();
  region.connect();
}

async function removePlace(region: Region, place: string): Promise<void> {
  const names = place.split('/');
  const last = names.pop() ?? '';
  await (await region.folder(names.join('/'))).removeEntry(last, { recursive: true });
}

async function tolerating(body: () => Promise<void>): Promise<void> {
  try {
    await body();
  } catch (error) {
    if (!EXPECTED.has((error as TreeError).name)) throw error;
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

const SEEDS = Number(process.env['HOLDFAST_FILES_SEEDS'] ?? 12);
const FIRST = Number(process.env['HOLDFAST_FILES_FIRST'] ?? 1);
const STEPS = 60;

describe('three regions that do what chance tells them', () => {
  it.each(Array.from({ length: SEEDS }, (_, index) => FIRST + index))(
    'come to have the same: seed %i',
    async (seed) => {
      const world = new World(seed);
      for (let step = 0; step < STEPS; step += 1) await world.step();
      await world.settle();
      const [first, ...others] = await Promise.all(world.regions.map((region) => region.content()));
      for (const other of others) expect(other).toEqual(first);
      const conflicts = world.regions.map(({ sync }) => sync.conflicts().map(({ serial, locator }) => [serial, locator]));
      for (const list of conflicts) expect(list).toEqual(conflicts[0]);
      for (const conflict of world.regions[0]?.sync.conflicts() ?? []) await conflict.lost.bytes();
    },
  );
});
