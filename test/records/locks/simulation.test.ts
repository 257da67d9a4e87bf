import { expect, it } from 'vitest';
import { simulate } from './simulation.ts';

it('whatever realms do with databases, and whoever is killed meanwhile, the protocol holds', async () => {
  for (let seed = 1; seed <= 200; seed++) expect(await simulate(seed), `seed ${seed}`).toBeNull();
});
