import type { Mutant } from './mutants.ts';
import { HEALTHY } from './mutants.ts';
import { Scenario } from './scenario.ts';

/** Of trouble, before the calm. */
const STEPS = 220;

/** How a failure is told: the last steps, and what the hub holds at the end. */
const TRACE = Number(process.env['TRACE'] ?? 60);

/** Runs the world that a seed makes; null when nothing was found to be wrong. */
export async function failureOf(seed: number, mutant: Mutant = HEALTHY): Promise<string | null> {
  const scenario = new Scenario(seed, mutant);
  try {
    await scenario.run(STEPS);
    return null;
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const { trace } = scenario.world;
    return [`seed ${seed} (${scenario.disaster}): ${what}`, ...trace.slice(-TRACE), scenario.hub.describe()].join('\n');
  }
}
