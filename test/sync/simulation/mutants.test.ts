import { describe, expect, test } from 'vitest';
import { isThorough } from '../../support/thorough.ts';
import { BROKEN, BROKEN_RESTORES, COVERED } from './broken.ts';
import type { Mutant } from './mutants.ts';
import { ANY, RESTORES } from './scenario.ts';
import type { Plan } from './scenario.ts';
import { failureOf } from './trial.ts';

/** As many as CI has of the healthy one. */
const SEEDS = 2000;
/** Of what is covered: enough to be sure that it is met. */
const SEEDS_COVERED = isThorough ? 200 : 25;

/** Seeds that have found what is rare: a run that is not thorough begins there, and goes on with all others. */
const FOUND: Readonly<Record<string, number>> = {
  'pipelining across incarnations': 1961,
  'a predecessor known by itself, without what came before it': 1461,
  'blobs collected that appends have named': 835,
};

/** What is found within the seeds, or null. */
async function caught(mutant: Mutant, seeds: number, plan: Plan = ANY, first = 1): Promise<string | null> {
  const repair = mutant.breaks?.();
  try {
    for (let count = 0; count < seeds; count++) {
      const failure = await failureOf(1 + ((first - 1 + count) % seeds), mutant, plan);
      if (failure !== null) return failure;
    }
    return null;
  } finally {
    repair?.();
  }
}

describe('the simulation', () => {
  test.each(Object.entries(BROKEN))('catches: %s', { timeout: 300_000 }, async (name, mutant) => {
    const failure = await caught(mutant, SEEDS, ANY, isThorough ? 1 : FOUND[name]);
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
