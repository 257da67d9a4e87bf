import { expect, test } from 'vitest';
import type { Scenario } from '../crash/support/scenarios.ts';
import { faultEverywhere } from './inject.ts';

/** One test for each scenario; `names` are those of errors that a caller may get. */
export function testFaults(scenarios: readonly Scenario[], names: readonly string[]): void {
  test.each(scenarios)('faults at every system call of: $name', { timeout: 300_000 }, async (scenario) => {
    const { count, violations } = await faultEverywhere(scenario, new Set(names));
    expect(violations).toEqual([]);
    expect(count).toBeGreaterThan(0);
  });
}

export const namesOfStorage = ['QuotaExceededError', 'UnknownError'];
export const namesOfFiles = [...namesOfStorage, 'NoModificationAllowedError', 'InvalidStateError', 'NotReadableError'];
