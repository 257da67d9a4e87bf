import { expect, it } from 'vitest';
import { stress } from './drive.ts';

it('processes that are killed one after another lose nothing, tear nothing and share no exclusive lock', async () => {
  // Kills end it; the time is for a machine on which a process takes seconds to begin.
  const { kills, violations, accidents, history } = await stress({ kills: 20, timeLimit: 200_000, seed: Date.now() % 2 ** 31 });
  expect(accidents).toEqual([]);
  expect(violations).toEqual({ order: [], survival: [], exclusion: [], failures: [] });
  expect(kills).toBe(20);
  expect(history.operations.length).toBeGreaterThan(0);
  expect(history.locks.length).toBeGreaterThan(0);
}, 400_000);
