import { expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { killEverywhere } from './support/kill.ts';
import { losePower } from './support/power-loss.ts';
import { scenarioNamed } from './support/scenarios.ts';

test('a kill shows what was acknowledged before it was done', { timeout: 300_000 }, async () => {
  const victim = await bundleFixture(new URL('./support/victim.ts', import.meta.url));
  const { violations } = await killEverywhere(victim, scenarioNamed('setItem, removeItem and clear'), null, 'hasty');
  expect(violations.join('\n')).toContain('the state is');
});

test.each(['setItem, removeItem and clear', 'move of a directory'])(
  'a power loss shows what was acknowledged before it was synced: %s',
  { timeout: 300_000 },
  async (name) => {
    const recorder = await bundleFixture(new URL('./support/recorder.ts', import.meta.url));
    const { violations } = await losePower(recorder, scenarioNamed(name), { before: 'strict', after: 'relaxed', seeds: 0, of: null });
    expect(violations.join('\n')).toContain('the state is');
  },
);
