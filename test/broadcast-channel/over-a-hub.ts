import { expect, test } from 'vitest';
import type { Hub } from '../../src/sync/hub.ts';
import { hearing, linked, regionOf } from './spanning.ts';
import { until } from './until.ts';

/** Channels of three regions over an engine. `hub`: a client of it, which is closed with its region. */
export function channelsReachAllRegions(hub: () => Hub): void {
  test('carries messages of channels to all regions, once, in one order', async () => {
    const regions = ['eu', 'us', 'ap'].map((name) => regionOf(hub(), name));
    await linked(...regions);
    const heard = regions.map(({ open }) => hearing(open('a')));
    const posters = regions.map(({ open }) => open('a'));
    const large = 'x'.repeat(2 ** 21);
    for (let n = 0; n < 20; n += 1) posters.forEach((poster, who) => poster.postMessage([who, n]));
    posters[0]?.postMessage(large);
    await until(() => heard.every(({ length }) => length >= 61));
    for (const each of heard) expect(each).toEqual(heard[0]);
    expect(heard[0]).toContainEqual(large);
  });
}
