import { expect, test } from 'vitest';
import { bundleFixture } from '../../support/bundle.ts';
import { CALLS_TIMEOUT } from '../../support/sealed.ts';
import { thisTest } from '../../support/this-test.ts';
import { killEverywhere } from './kill.ts';
import type { Scenario } from './scenarios.ts';

/** One test for each scenario. */
export function testKills(scenarios: readonly Scenario[]): void {
  for (const scenario of scenarios) {
    test(`killed at system calls of: ${scenario.name}`, { timeout: CALLS_TIMEOUT }, async () => {
      const victim = await bundleFixture(new URL('./victim.ts', import.meta.url));
      const { kills, violations } = await killEverywhere(victim, scenario, thisTest());
      expect(violations).toEqual([]);
      expect(kills).toBeGreaterThan(0);
    });
  }
}
