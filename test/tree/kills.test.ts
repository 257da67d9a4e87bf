import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Locator } from '../../src/disk/locator.ts';
import type { FileTree } from '../../src/disk/tree/file-tree.ts';
import { LATER_SESSION, makeBucket, put, SESSION } from './support.ts';
import type { Bucket } from './support.ts';

let bucket: Bucket;

beforeEach(() => {
  bucket = makeBucket();
});

afterEach(() => {
  vi.restoreAllMocks();
  bucket.remove();
});

const CHANGING = [
  'openSync', 'writeSync', 'mkdirSync', 'renameSync', 'unlinkSync', 'rmdirSync', 'rmSync', 'fchmodSync', 'chmodSync', 'copyFileSync', 'fsyncSync',
] as const;

class Killed extends Error {}

/** From the given system call on, none is made any more: what the disk sees of a process that is killed there. */
function killAt(call: number): void {
  let left = call;
  const step = (): void => {
    if ((left -= 1) < 0) throw new Killed();
  };
  for (const name of CHANGING) {
    const original = fs[name] as (...values: unknown[]) => unknown;
    vi.spyOn(fs, name).mockImplementation(((...values: unknown[]) => {
      step();
      return original.apply(fs, values);
    }) as never);
  }
  for (const name of ['rename', 'copyFile'] as const) {
    const original = fs.promises[name] as (...values: unknown[]) => Promise<void>;
    vi.spyOn(fs.promises, name).mockImplementation((async (...values: unknown[]) => {
      step();
      await original.apply(fs.promises, values);
    }) as never);
  }
}

/** All entries with their contents, as a reader sees them. */
function contents(tree: FileTree, locator: Locator = []): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, kind] of tree.entries(locator)) {
    const child = [...locator, name];
    if (kind === 'directory') Object.assign(found, { [child.join('/')]: '(directory)' }, contents(tree, child));
    else {
      const { descriptor, content } = tree.openForReading(child);
      const bytes = Buffer.alloc(content.size());
      content.read(bytes, 0);
      found[child.join('/')] = bytes.toString('utf8');
      fs.closeSync(descriptor);
    }
  }
  return found;
}

const LONG = 'long '.repeat(100);
const LARGE = 'x'.repeat(100_000);

interface Scenario {
  prepare(tree: FileTree): unknown;
  operate(tree: FileTree): unknown;
}

const scenarios: Record<string, Scenario> = {
  'creating a file': { prepare: () => {}, operate: (tree) => tree.createFile(['f']) },
  'creating a file with a long name': { prepare: () => {}, operate: (tree) => tree.createFile([LONG]) },
  'creating a directory': { prepare: () => {}, operate: (tree) => tree.createDirectory([LONG]) },
  'replacing a file': { prepare: (tree) => put(tree, ['f'], 'old'), operate: (tree) => put(tree, ['f'], 'new') },
  'replacing a file with a long name': { prepare: (tree) => put(tree, [LONG], 'old'), operate: (tree) => put(tree, [LONG], 'new') },
  'replacing a file by its copy': {
    prepare: (tree) => put(tree, ['f'], LARGE),
    operate: async (tree) => tree.replace(await tree.swap(['f']), ['g']),
  },
  'moving a file': { prepare: (tree) => put(tree, ['f'], 'content'), operate: (tree) => tree.move(['f'], [LONG]) },
  'moving a long name to another': { prepare: (tree) => put(tree, [LONG], 'content'), operate: (tree) => tree.move([LONG], [`${LONG}2`]) },
  'moving a file onto another': {
    prepare: async (tree) => {
      await put(tree, ['f'], 'new');
      await put(tree, [LONG], 'old');
    },
    operate: (tree) => tree.move(['f'], [LONG]),
  },
  'moving a directory': {
    prepare: (tree) => {
      tree.createDirectory(['d']);
      return put(tree, ['d', LONG], 'content');
    },
    operate: (tree) => tree.move(['d'], ['e']),
  },
  'removing a file': { prepare: (tree) => put(tree, [LONG], 'content'), operate: (tree) => tree.remove([LONG]) },
  'removing a directory': {
    prepare: (tree) => {
      tree.createDirectory(['d']);
      return put(tree, ['d', LONG], 'content');
    },
    operate: (tree) => tree.remove(['d']),
  },
  'giving a file a new inode': { prepare: (tree) => put(tree, ['f'], LARGE), operate: (tree) => tree.detach(['f']) },
};

describe.each(['relaxed', 'strict'] as const)('a process killed at any of its system calls (%s)', (durability) => {
  it.each(Object.entries(scenarios))('while %s leaves the state before or after', async (_, { prepare, operate }) => {
    const tree = bucket.open({ durability });
    await prepare(tree);
    const before = contents(tree);
    await operate(tree);
    const after = contents(tree);
    let kills = 0;
    for (let isKilled = true; isKilled; kills += 1) {
      await tree.empty();
      await prepare(tree);
      killAt(kills);
      isKilled = await Promise.resolve()
        .then(() => operate(tree))
        .then(() => false, (error: unknown) => error instanceof Killed || Promise.reject(error as Error));
      vi.restoreAllMocks();
      const later = bucket.open({ session: LATER_SESSION });
      const found = contents(later);
      expect([before, after]).toContainEqual(found);
      if (JSON.stringify(found) === JSON.stringify(before)) await operate(later);
      expect(contents(later)).toEqual(after);
    }
    expect(kills).toBeGreaterThan(1);
  });
});

it('what a kill leaves aside goes with a sweep', async () => {
  await put(bucket.tree, ['f'], 'content');
  bucket.tree.createDirectory(['d']);
  bucket.tree.createFile(['d', 'f']);
  await bucket.tree.swap(['f']); // never replaced: its session is killed
  fs.renameSync(path.join(bucket.files, 'd'), path.join(bucket.path, 'trash', `${SESSION}.1-x`));
  const later = bucket.open({ session: LATER_SESSION });
  const alive = await later.swap();
  later.sweep((session) => session === SESSION);
  await expect.poll(() => fs.readdirSync(path.join(bucket.path, 'trash'))).toEqual([]);
  expect(fs.readdirSync(path.join(bucket.path, 'swap'))).toEqual([LATER_SESSION]);
  expect(contents(later)).toEqual({ f: 'content' });
  alive.discard();
});

it("a sweep leaves what is not spelled as anything of ours, whoever put it there", async () => {
  const foreign = ['trash/letter.txt', 'trash/17.1-x', `trash/${SESSION}`, 'swap/notes', `swap/${SESSION}.bak`, 'swap/17'];
  for (const name of foreign) fs.writeFileSync(path.join(bucket.path, name), 'mine');
  const ours = path.join(bucket.path, 'trash', `${SESSION}.2-y`);
  fs.mkdirSync(ours);
  bucket.open({ session: LATER_SESSION }).sweep(() => true);
  await expect.poll(() => fs.existsSync(ours)).toBe(false);
  for (const name of foreign) expect(fs.readFileSync(path.join(bucket.path, name), 'utf8')).toBe('mine');
});
