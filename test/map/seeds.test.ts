import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { temporaryDirectory } from '../host/support.ts';

let program: string;
beforeAll(async () => {
  program = await bundleFixture(new URL('./seeds-fixture.ts', import.meta.url));
});

test('processes whose random numbers are the same, by --random-seed, write and lock beside each other', async () => {
  const root = temporaryDirectory();
  const runs = ['a', 'b', 'c'].map((name) => promisify(execFile)(process.execPath, ['--random-seed=1', program, root, name]));
  await Promise.all(runs);
  const { stdout } = await promisify(execFile)(process.execPath, ['--random-seed=1', program, root, 'd']);
  expect(JSON.parse(stdout)).toEqual({ items: 80, granted: true });
});
