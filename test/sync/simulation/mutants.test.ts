import { describe, expect, test } from 'vitest';
import { BROKEN, BROKEN_RESTORES, COVERED } from './broken.ts';
import type { Mutant } from './mutants.ts';
import { ANY, RESTORES } from './scenario.ts';
import type { Plan } from './scenario.ts';
import { failureOf } from './trial.ts';

/** As many as CI has of the healthy one. */
const SEEDS = 2000;
/** Of what is covered: enough to be sure that it is met. */
const SEEDS_COVERED = 200;

/** What is found within the seeds, or null. */
async function caught(mutant: Mutant, seeds: number, plan: Plan = ANY): Promise<string | null> {
  const repair = mutant.breaks?.();
  try {
    for (let seed = 1; seed <= seeds; seed++) {
      const failure = await failureOf(seed, mutant, plan);
      if (failure !== null) return failure;
    }
    return null;
  } finally {
    repair?.();
  }
}

describe('the simulation', () => {
  test.each(Object.entries(BROKEN))('catches: %s', { timeout: 300_000 }, async (_, mutant) => {
    const failure = await caught(mutant, SEEDS);
    expect(failure).toMatch(/^seed/);
    if (process.env['SHOW'] !== undefined) console.log(failure?.slice(0, 300));
  });

  test.each(Object.entries(BROKEN_RESTORES))('catches where hubs are restored: %s', { timeout: 300_000 }, async (_, mutant) => {
    expect(await caught(mutant, SEEDS, RESTORES)).toMatch(/^seed/);
  });

  test.each(Object.entries(COVERED))('does without, since something else covers it: %s', { timeout: 300_000 }, async (_, mutant) => {
    expect(await caught(mutant, SEEDS_COVERED)).toBeNull();
  });
});
