import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { temporaryDirectory } from './support.ts';

const run = promisify(execFile);

// 2 GiB do not grow it more; that many take too long for every run.
test.each([
  ['small', 64 * 1024],
  ['large', 1024 * 1024],
])('piping 256 MiB in %s chunks adds less than 24 MiB to the process', async (_, chunkBytes) => {
  const fixture = await bundleFixture(new URL('./fixtures/pipe.ts', import.meta.url));
  const { stdout } = await run(process.execPath, [fixture, temporaryDirectory(), '256', `${chunkBytes}`]);
  const { size, grew } = JSON.parse(stdout) as { size: number; grew: number };
  expect(size).toBe(256 * 2 ** 20);
  expect(grew).toBeLessThan(24);
});
