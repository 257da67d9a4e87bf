import type { Mutant } from './mutants.ts';
import { HEALTHY } from './mutants.ts';
import { ANY, Scenario } from './scenario.ts';
import type { Plan } from './scenario.ts';

/** How a failure is told: the last steps, and what the hub holds at the end. */
const TRACE = Number(process.env['TRACE'] ?? 60);

/** Runs the world that a seed makes; null when nothing was found to be wrong. */
export async function failureOf(seed: number, mutant: Mutant = HEALTHY, plan: Plan = ANY): Promise<string | null> {
  const scenario = new Scenario(seed, mutant, plan);
  try {
    await scenario.run();
    return null;
  } catch (error) {
    const what = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const { trace } = scenario.world;
    return [`seed ${seed} (${scenario.disaster}): ${what}`, ...trace.slice(-TRACE), scenario.hub.describe()].join('\n');
  }
}
