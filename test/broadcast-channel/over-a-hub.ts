import { expect, test } from 'vitest';
import type { Hub } from '../../src/sync/hub.ts';
import { hearing, linked, regionOf } from './spanning.ts';
import { until } from './until.ts';

/** Channels of three regions over an engine. `hub`: a client of it, which is closed with its region. */
export function channelsReachAllRegions(hub: () => Hub): void {
  test('carries messages of channels to all regions, once, in one order', { timeout: 240_000 }, async () => {
    while (!(await reachAll(hub)));
  });
}

/** How long an entry stays at the hub: a region that a busy machine keeps from it for longer misses some, and is told by a messageerror. */
const KEPT_MS = 10_000;

/** False where a region was away for so long. */
async function reachAll(hub: () => Hub): Promise<boolean> {
  const regions = ['eu', 'us', 'ap'].map((name) => regionOf(hub(), name));
  await linked(...regions);
  const since = performance.now();
  const heard = regions.map(({ open }) => hearing(open('a')));
  const posters = regions.map(({ open }) => open('a'));
  const large = 'x'.repeat(2 ** 21);
  for (let n = 0; n < 20; n += 1) posters.forEach((poster, who) => poster.postMessage([who, n]));
  posters[0]?.postMessage(large);
  const wasAway = (): boolean => heard.some((each) => each.includes('error'));
  await until(() => wasAway() || heard.every(({ length }) => length >= 61));
  if (wasAway()) {
    expect(performance.now() - since).toBeGreaterThan(KEPT_MS);
    return false;
  }
  for (const each of heard) expect(each).toEqual(heard[0]);
  expect(heard[0]).toContainEqual(large);
  return true;
}
