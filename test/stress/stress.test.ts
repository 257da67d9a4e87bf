import { expect, it } from 'vitest';
import { stress } from './drive.ts';

it('processes that are killed one after another lose nothing, tear nothing and share no exclusive lock', async () => {
  const { kills, violations, accidents, history } = await stress({ kills: 20, timeLimit: 40_000, seed: Date.now() % 2 ** 31 });
  expect(accidents).toEqual([]);
  expect(violations).toEqual({ order: [], survival: [], exclusion: [], failures: [] });
  expect(kills).toBe(20);
  expect(history.operations.length).toBeGreaterThan(0);
  expect(history.locks.length).toBeGreaterThan(0);
}, 120_000);
