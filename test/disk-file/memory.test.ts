import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';

// A process of its own: what else runs here has a memory of its own. From V8 13 on garbage alone takes more; see
// docs/DEVIATIONS.md.
it.runIf(Number.parseInt(process.versions.v8, 10) < 13)('a stream of 2 GiB raises memory by less than 24 MiB', async () => {
  const fixture = await bundleFixture(new URL('./memory.fixture.ts', import.meta.url));
  const { bytes, grown } = JSON.parse(execFileSync(process.execPath, [fixture], { encoding: 'utf8' })) as { bytes: number; grown: number };
  expect(bytes).toBe(2 ** 31);
  expect(grown).toBeLessThan(24);
});
