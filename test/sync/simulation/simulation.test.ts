import { describe, expect, test } from 'vitest';
import { Scenario } from './scenario.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 2000);
const FIRST = Number(process.env['FIRST_SEED'] ?? 1);
const PARTS = 4;
const STEPS = 220;
const TRACE = Number(process.env['TRACE'] ?? 60);

async function failureOf(seed: number): Promise<string | null> {
  const scenario = new Scenario(seed);
  try {
    await scenario.run(STEPS);
    return null;
  } catch (error) {
    return `seed ${seed} (${scenario.disaster}): ${error instanceof Error ? error.stack : String(error)}\n${scenario.world.trace.slice(-TRACE).join('\n')}
${scenario.hub.describe()}`;
  }
}

describe('regions, processes and a hub in trouble', () => {
  test.each(Array.from({ length: PARTS }, (_, part) => part))('converge and lose nothing (part %i)', async (part) => {
    for (let seed = FIRST + part; seed < FIRST + SEEDS; seed += PARTS) {
      const failure = await failureOf(seed);
      if (failure !== null) expect.fail(failure);
    }
  }, 600_000);
});
