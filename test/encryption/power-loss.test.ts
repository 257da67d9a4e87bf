import { expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { faultAfter, lastLosses, losses, record, type Loss, type Story } from './power-loss.ts';

/** So many of each story, or `all`; by default some. */
const asked = process.env['HOLDFAST_LOSSES'];
/** Random disks for each moment, besides the extremes. */
const SEEDS = 2;
const SOME = asked === undefined ? 12 : Number(asked);

const stories: readonly Story[] = asked !== undefined
  ? (['encrypt', 'rekey'] as const).flatMap((work) => (['strict', 'relaxed'] as const).map((durability) => ({ work, durability, rounds: 4 })))
  : (['encrypt', 'rekey'] as const).map((work) => ({ work, durability: 'relaxed', rounds: 0 }));

/** Evenly, each with another of the disks that its moment may leave. */
function someOf(all: readonly Loss[]): Loss[] {
  return Array.from({ length: Math.min(SOME, all.length) }, (_, index) => all[Math.floor(((index + (index % 6) / 6) * all.length) / SOME)]).filter((loss) => loss !== undefined);
}

test.each(stories)('power lost amid $work, by one who is $durability: nothing is lost, it can be ended, and nothing is plain or without a key then', { timeout: 3_600_000 }, async (story) => {
  const fixture = await bundleFixture(new URL('power-loss.fixture.ts', import.meta.url));
  const recorded = await record(fixture, story);
  const all = losses(recorded, SEEDS);
  const chosen = asked === 'all' ? all : [...someOf(all), ...lastLosses(recorded, 0)];
  const faults: string[] = [];
  for (const loss of chosen) {
    const fault = await faultAfter(recorded, loss);
    if (fault !== null) faults.push(fault);
    if (faults.length > 20) break;
  }
  if (asked !== undefined) console.log(`${chosen.length} disks of ${recorded.history.entries.length - recorded.start} moments, ${faults.length} faults`);
  expect(faults).toEqual([]);
});
