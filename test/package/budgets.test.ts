import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { packed, repository } from './packed.ts';

/** The benchmark's own measure: kilobytes of these files, minified and compressed. */
const { loadedSize } = (await import(new URL('../../bench/areas/start.mjs', import.meta.url).href)) as { loadedSize(files: string[]): number };

describe('what a program that imports holdfast/globals and reads one item loads', () => {
  let files: string[];

  beforeAll(async () => {
    const root = mkdtempSync(join(tmpdir(), 'holdfast-budgets-'));
    const hooks = fileURLToPath(new URL('fixtures/tell-loads.mjs', import.meta.url));
    const program = "localStorage.setItem('k', 'v'); localStorage.getItem('k')";
    const flags = ['--import', hooks, '--import', 'holdfast/globals', '--input-type=module', '--eval', program];
    const { stderr } = await promisify(execFile)(process.execPath, flags, { cwd: repository, env: { ...process.env, HOLDFAST_ROOT: root } });
    rmSync(root, { recursive: true });
    const urls = stderr.split('\n').filter((line) => line.startsWith('load file:'));
    files = urls.map((line) => fileURLToPath(line.slice('load '.length))).filter((path) => !relative(join(repository, 'dist'), path).startsWith('..'));
  });

  test('is at most 12 modules', () => {
    expect(files.length).toBeGreaterThan(0);
    expect(files.length).toBeLessThanOrEqual(12);
  });

  // The goal, which is not reached: setItem() is synchronous, so all that it may need (journal, map, root, compaction) is
  // loaded before. Once this passes it fails here, and takes the place of the next.
  test.fails('is at most 25 kB, minified and compressed', () => {
    expect(loadedSize(files)).toBeLessThanOrEqual(25);
  });

  // Of it, 2.2 kB are for full disks, missing descriptors and foreign directories: a removal that needs them cannot wait until they are loaded;
  // 2.4 kB for what counts and tells (stats, channels, warnings), reads the environment and answers requests; and 1.5 kB
  // for noticing, at any use, that a journal was removed, replaced, cut back or copied. The doors of databases, caches,
  // channels and transactions, which load the rest at their first touch, take 1.3 kB.
  // 0.1 kB is what coordinators have to find here when they are loaded, and 0.3 kB the door of named buckets.
  // 0.5 kB is what journals and buckets ask of keys, and find to have none: an encrypted origin must never be taken for a plain one.
  test('does not grow: is at most 39.3 kB', () => {
    expect(loadedSize(files)).toBeLessThanOrEqual(39.3);
  });
});

test('a program that imports holdfast/globals has the runtime load what is costly at its first touch only', async () => {
  const program = fileURLToPath(new URL('fixtures/tell-touched.mjs', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'holdfast/globals', program], { cwd: repository });
  const flags = { writable: true, enumerable: false, configurable: true };
  expect(JSON.parse(stdout)).toEqual({ early: [], isStream: true, type: 'function', flags, assigned: 1 });
});

// Two fifths of it are the types, a tenth the guides and examples, by what each file takes compressed.
test('the package is at most 930 kB', async () => {
  expect((await packed()).size).toBeLessThanOrEqual(930_000);
});
