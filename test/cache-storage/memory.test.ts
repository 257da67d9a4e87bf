import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { newRoot } from './support.ts';

/** That of 1 GiB is no larger, but takes too long for every run: by hand, `BODY_MIB=1024`. */
const MEBIBYTES = Number(process.env['BODY_MIB'] ?? 256);

test.each([
  ['small', 64 * 1024],
  ['large', 1024 * 1024],
])(`a body of ${MEBIBYTES} MiB in %s chunks adds less than 16 MiB to the process, in and out`, { timeout: 240_000 }, async (_, chunkBytes) => {
  const fixture = await bundleFixture(new URL('./memory-fixture.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [fixture, newRoot(), `${MEBIBYTES}`, `${chunkBytes}`]);
  const { bytes, grewIn, grewOut } = JSON.parse(stdout) as { bytes: number; grewIn: number; grewOut: number };
  expect(bytes).toBe(MEBIBYTES * 2 ** 20);
  expect(grewIn).toBeLessThan(16);
  expect(grewOut).toBeLessThan(16);
});
