import { expect, it } from 'vitest';
import { stress } from '../stress/drive.ts';

it('processes that share a root by lock files lose nothing and tear nothing when they are killed', async () => {
  const { kills, violations, accidents } = await stress({ kills: 4, timeLimit: 60_000, seed: Date.now() % 2 ** 31, host: { shared: 'lockfile' } });
  expect(accidents).toEqual([]);
  expect(violations).toEqual({ order: [], survival: [], exclusion: [], failures: [] });
  expect(kills).toBe(4);
}, 180_000);
