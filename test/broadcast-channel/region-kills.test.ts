import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, expect, test } from 'vitest';
import { atEnd, temporaryDirectory } from '../host/support.ts';
import { bundleFixture } from '../support/bundle.ts';
import { connected, startedHub, TOKEN } from '../sync/embedded/in-process.ts';
import { hearing, linked, regionOf } from './spanning.ts';
import { until } from './until.ts';

let fixture: string;
beforeAll(async () => {
  fixture = await bundleFixture(new URL('region-fixture.ts', import.meta.url));
});

/** A process of a region that was there first: so it is the one that speaks with the hub. @returns what kills it */
async function startSpeaker(root: string, url: string): Promise<() => Promise<unknown>> {
  const child = spawn(process.execPath, [fixture, root, url, TOKEN], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const kill = (): Promise<unknown> => {
    child.kill('SIGKILL');
    return ended;
  };
  atEnd(kill);
  await once(child.stdout, 'data');
  return kill;
}

test('when whoever speaks with the hub is killed, nothing is lost within the region, and nothing comes twice anywhere', async () => {
  const { url } = await startedHub();
  const root = temporaryDirectory();
  const kill = await startSpeaker(root, url);
  const eu = regionOf(await connected(url), 'eu', root);
  const us = regionOf(await connected(url), 'us');
  await linked(eu, us);
  const [near, far] = [hearing(eu.open('a')), hearing(us.open('a'))];
  const poster = eu.open('a');
  let posted = 0;
  const post = (): void => poster.postMessage((posted += 1));
  for (let n = 0; n < 50; n += 1) post();
  await until(() => far.length >= 50);
  for (let n = 0; n < 50; n += 1) post();
  await kill();
  for (let n = 0; n < 50; n += 1) post();
  await until(() => near.length >= 150);
  const before = posted;
  await until(() => {
    post();
    return Number(far.at(-1)) > before;
  });
  const last = posted;
  await until(() => near.at(-1) === last);
  expect(near.filter((each) => each !== 'error')).toEqual(Array.from({ length: last }, (_, n) => n + 1));
  const numbers = far.filter((each) => each !== 'error') as number[];
  expect(numbers.slice(0, 50)).toEqual(Array.from({ length: 50 }, (_, n) => n + 1));
  expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
  expect([near, far].map((heard) => heard.filter((each) => each === 'error').length <= 1)).toEqual([true, true]);
});
