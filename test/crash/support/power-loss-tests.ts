import { expect, test } from 'vitest';
import { bundleFixture } from '../../support/bundle.ts';
import { CALLS_TIMEOUT } from '../../support/sealed.ts';
import { thisTest } from '../../support/this-test.ts';
import { losePower } from './power-loss.ts';
import type { Scenario } from './scenarios.ts';

/** Random disks for each moment, besides the extremes. */
const SEEDS = 2;

/** One test for each scenario. What writes in place promises nothing that could be checked before it is flushed. */
export function testPowerLosses(scenarios: readonly Scenario[]): void {
  const atomic = scenarios.filter(({ torn }) => torn === undefined);
  for (const scenario of atomic) {
    test(`strict survives a power loss amid: ${scenario.name}`, { timeout: CALLS_TIMEOUT }, async () => {
      const recorder = await bundleFixture(new URL('./recorder.ts', import.meta.url));
      const { images, violations } = await losePower(recorder, scenario, { before: 'strict', after: 'strict', seeds: SEEDS, of: thisTest() });
      expect(violations).toEqual([]);
      expect(images).toBeGreaterThan(0);
    });
  }
}

/** The same on a root that a relaxed process has made a moment ago. */
export function testPowerLossAfterRelaxed(scenarios: readonly Scenario[]): void {
  for (const scenario of scenarios) {
    test(`strict survives a power loss on a root that was made relaxed: ${scenario.name}`, { timeout: CALLS_TIMEOUT }, async () => {
      const recorder = await bundleFixture(new URL('./recorder.ts', import.meta.url));
      const { images, violations } = await losePower(recorder, scenario, { before: 'relaxed', after: 'strict', seeds: SEEDS, of: thisTest() });
      expect(violations).toEqual([]);
      expect(images).toBeGreaterThan(0);
    });
  }
}
