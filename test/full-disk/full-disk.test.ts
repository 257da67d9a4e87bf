import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';

const run = promisify(execFile);

/** Where the disk is mounted that only the scenario sees. */
const mountPoint = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-full-disk-'));
afterAll(() => fs.rmdirSync(mountPoint));

const onDiskOf = (size: string): string[] => ['--mount', 'sh', '-c', `mount -t tmpfs -o size=${size} none "$0" && exec "$@"`, mountPoint];
const canMount = spawnSync('unshare', [...onDiskOf('1m'), 'true']).status === 0;

let fixture: string;
beforeAll(async () => {
  fixture = await bundleFixture(new URL('./full-disk-fixture.ts', import.meta.url));
});

/** What a scenario on a disk of that size violates. */
async function violationsOf(scenario: string, size: string, argument: string | number): Promise<string[]> {
  const command = [process.execPath, fixture, scenario, mountPoint, String(argument)];
  const { stdout } = await run('unshare', [...onDiskOf(size), ...command], { maxBuffer: 2 ** 24 });
  return JSON.parse(stdout) as string[];
}

describe.skipIf(!canMount)('on a disk that is full (needs the right to mount one)', { timeout: 120_000 }, () => {
  test.each([10, 1000, 5000, 200_000])('of items of %i code units: all of them can be removed, and there is room again', async (length) => {
    expect(await violationsOf('items', '4m', length)).toEqual([]);
  });

  test.each(['1m', '16m'])('of %s: the same', async (size) => {
    expect(await violationsOf('items', size, 3000)).toEqual([]);
  });

  test.each(['relaxed', 'strict'])('to its last block, by somebody else: what removes and releases works (%s)', async (durability) => {
    expect(await violationsOf('foreign', '8m', durability)).toEqual([]);
  });

  test.each(['default', 'inbox'])('caches keep what is there, and what is deleted gives its room back (bucket %s)', async (bucket) => {
    expect(await violationsOf('caches', '6m', bucket)).toEqual([]);
  });

  test('buckets keep what is there, none is made, and one can be deleted', async () => {
    expect(await violationsOf('buckets', '6m', '')).toEqual([]);
  });

  test.each([1, 2, 3, 4, 5])('now and then: removals work, and the map is what a model says (%i)', async (seed) => {
    expect(await violationsOf('sequence', '6m', seed)).toEqual([]);
  });

  test.each([1, 2])('for several processes at once: what removes never fails (%i)', async (seed) => {
    expect(await violationsOf('processes', '4m', seed)).toEqual([]);
  });
});
