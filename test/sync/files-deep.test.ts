import fs from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Locator } from '../../src/disk/locator.ts';
import { LINK } from '../../src/disk/replica/replica-kinds.ts';
import { encodeLink, NO_LINK } from '../../src/disk/replica/replica-records.ts';
import { CHANGE, encodeChange } from '../../src/sync/files/change.ts';
import { FilesModel } from '../../src/sync/files/files-model.ts';
import { isBeyondDisk } from '../../src/sync/files/locators.ts';
import { PathTree } from '../../src/sync/files/path-tree.ts';
import { MemoryEngine } from '../support/memory-hub.ts';
import { converge, Region, until } from './files-regions.ts';

const DEPTH = 2048;
const deep = (depth: number, name = 'd'): Locator => Array.from({ length: depth }, () => name);

function directories(...locators: Locator[]): { session: number; sequence: number; kind: number; payload: Uint8Array } {
  return { session: 5, sequence: 1, kind: CHANGE, payload: encodeChange({ region: 'evil', steps: locators.map((locator) => ({ type: 'directory', locator })) }) };
}

afterEach(() => vi.restoreAllMocks());

describe('an entry that makes a directory many levels deep', () => {
  it('of 2,048 is applied in some walks along its path, not in one for each level', () => {
    const model = new FilesModel();
    const touched: Locator[] = [];
    model.listener = (locator) => touched.push(locator);
    const walks = [vi.spyOn(PathTree.prototype, 'get'), vi.spyOn(PathTree.prototype, 'set'), vi.spyOn(PathTree.prototype, 'fill'), vi.spyOn(PathTree.prototype, 'depthOf')];
    expect(model.confirm(directories(deep(DEPTH)))).toBeNull();
    expect(walks.reduce((sum, { mock }) => sum + mock.calls.length, 0)).toBeLessThan(8);
    expect(touched.map(({ length }) => length)).toEqual([DEPTH]);
    expect([...model.entries()]).toHaveLength(DEPTH);
  });

  it('gives a region no work that never ends: what the disk cannot have is told of, and left', async () => {
    const engine = new MemoryEngine();
    const [a, b] = [new Region({ engine, name: 'a' }), new Region({ engine, name: 'b' })];
    await a.write('f', 'content');
    await converge(a, b);
    a.journal.known.replica.local({ ...directories(deep(25, 'x'.repeat(200))), session: 7, sequence: 7 });
    a.sync.journal.append(LINK, encodeLink(NO_LINK));
    await until(() => b.problems.some((problem) => problem.includes('too long')));
    await b.sync.settled();
    expect(b.journal.known.applied.get(deep(15, 'x'.repeat(200)))?.kind).toBe('directory');
    const looks = vi.spyOn(fs, 'lstatSync');
    await a.write('g', 'goes on');
    await until(() => b.journal.known.applied.get(['g']) !== undefined);
    // Nothing of the deep path is tried again.
    expect(looks.mock.calls.length).toBeLessThan(200);
    await Promise.all([a.close(), b.close()]);
  });
});

describe('a path that no disk can have', () => {
  it.each([
    [deep(15, 'x'.repeat(255)), false],
    [deep(16, 'x'.repeat(255)), true],
    [deep(2000), false],
    [deep(2048), true],
    [deep(16, '\u{1f600}'.repeat(63)), false],
    [deep(17, '\u{1f600}'.repeat(63)), true],
  ])('is told by its length in bytes', (locator, isBeyond) => {
    expect(isBeyondDisk(locator, '/root/of/some/host')).toBe(isBeyond);
  });
});
