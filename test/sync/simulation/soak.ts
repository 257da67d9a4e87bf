import '../../../src/disk/map/following-provided.ts';
import { HEALTHY } from './mutants.ts';
import { ANY, RESTORES } from './scenario.ts';
import { SEALED } from './sealed.ts';
import { failureOf } from './trial.ts';

export const PLANS = { any: ANY, restores: RESTORES } as const;

export interface SoakOptions {
  /** The first seed, and how many of them. */
  readonly from: number;
  readonly count: number;
  readonly plan: keyof typeof PLANS;
  /** Whether all that comes to the hub is encrypted. */
  readonly key: boolean;
  /** Hears of what was found to be wrong, with the last steps of its world. */
  readonly onFailure: (failure: string) => void;
  readonly onProgress: (seeds: number, failures: number) => void;
}

/** Runs one world after another; how many of them had something wrong. */
export async function soak({ from, count, plan, key, onFailure, onProgress }: SoakOptions): Promise<number> {
  let failures = 0;
  for (let done = 1; done <= count; done++) {
    const failure = await failureOf(from + done - 1, key ? SEALED : HEALTHY, PLANS[plan]);
    if (failure !== null) {
      failures += 1;
      onFailure(failure);
    }
    onProgress(done, failures);
  }
  return failures;
}
