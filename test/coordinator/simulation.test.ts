import { describe, expect, test } from 'vitest';
import { loadWorld } from './simulation/load.ts';
import { some } from '../support/thorough.ts';
import { mutants } from './simulation/mutants.ts';

// For more: npm run stress -- --coordinators-simulation=100000

test('in a simulated world of processes in trouble calls have one order, run once, and end as their callers are told; alarms run', async () => {
  const { soak } = await loadWorld();
  const { failures, answered, epochs } = await soak({ from: 1, count: 100 });
  expect(failures).toEqual([]);
  expect([answered > 3000, epochs > 500]).toEqual([true, true]);
});

test('a seed gives the same world again, whatever worlds were before it', async () => {
  const { runWorld } = await loadWorld();
  const world = (seed: number): Promise<unknown> => new Promise((resolve) => setImmediate(() => resolve(runWorld(seed))));
  const seeds = Array.from({ length: 40 }, (_, n) => n + 1);
  const reports = new Map<number, unknown>();
  for (const seed of seeds) reports.set(seed, await world(seed));
  for (const seed of seeds.toReversed()) expect([seed, await world(seed)]).toEqual([seed, reports.get(seed)]);
});

describe('a simulated world finds that', () => {
  test.each(some(mutants, 'coordinators', 8))('$what', async (mutant) => {
    const { soak } = await loadWorld(mutant);
    expect((await soak({ from: 1, count: 100, stopsAtFirst: true })).failures).toHaveLength(1);
  });
});
