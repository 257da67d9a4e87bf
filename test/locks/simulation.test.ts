import { expect, it } from 'vitest';
import { simulate } from './simulation.ts';

it('agrees with the reference in thousands of schedules', () => {
  for (let seed = 1; seed <= 1500; seed++) {
    const violation = simulate(seed);
    if (violation !== null) expect.fail(`seed ${seed}: ${violation}`);
  }
});
