import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { StorageHost, type StorageHostOptions } from '../../src/index.ts';
import { bundleFixture } from '../support/bundle.ts';
import { Realm } from '../coherence/realm.ts';

/** Makes appends not atomic. */
const preload = bundleFixture(new URL('./network-disk-fixture.ts', import.meta.url));
const ORIGIN = 'https://app.example';
const WRITES = 100;
let directory: string;
let writers: Realm[];

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-network-'));
  writers = [];
});

afterEach(async () => {
  await Promise.all(writers.map((writer) => writer.kill()));
  fs.rmSync(directory, { recursive: true, force: true });
});

/** What several processes have counted together in a root of their own, each record of which counts; an error for one that failed. */
async function count(host: Partial<StorageHostOptions>): Promise<unknown> {
  const root = path.join(directory, crypto.randomUUID());
  const options = { root, origin: ORIGIN, host };
  const program = await preload;
  const started = await Promise.all([1, 2, 3].map(() => Realm.start(options, program)));
  writers.push(...started);
  // Each key is written by one process only: what is missing in the end was lost by the disk.
  const failures = await Promise.all(started.map((writer, index) => writer.ask('setMany', `${index}`, WRITES).catch(() => 'failed')));
  if (failures.includes('failed')) return 'failed';
  return new StorageHost({ root, ...host }).origin(ORIGIN).localStorage.length;
}

it("loses nothing with shared: 'lockfile', though appends are not atomic", async () => {
  expect(await count({ shared: 'lockfile' })).toBe(3 * WRITES);
});

it('would lose something without', async () => {
  // Nothing is where a busy machine lets them write one after another.
  await expect.poll(() => count({})).not.toBe(3 * WRITES);
});
