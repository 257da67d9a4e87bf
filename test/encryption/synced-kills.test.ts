import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
import { startedHub, TOKEN } from '../sync/embedded/in-process.ts';
import { bundleFixture } from '../support/bundle.ts';
import { treeHas } from './support.ts';
import { clientOf, KEY, newRoot, openHost, ORIGIN, read, regionOf, write } from './sync-regions.ts';

const KILLS = 8;
const migrating = { key: KEY, plain: 'migrate' } as const;

/** Runs a writer, kills it once it has written so much more, and gives the last count that it was sure of; -1: none. */
async function killAfter(fixture: string, args: readonly string[], writes: number): Promise<number> {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split('\n').length > writes) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1));
}

test('killed while it encrypts what a hub and a root have in clear, a region loses nothing that it had written, nor another', { timeout: 180_000 }, async () => {
  const hub = await startedHub();
  const [root, usRoot] = [newRoot(), newRoot()];
  const plain = [openHost(clientOf(hub), 'eu', { root, encryption: undefined }), openHost(clientOf(hub), 'us', { root: usRoot, encryption: undefined })] as const;
  const [eu, us] = [regionOf(plain[0]), regionOf(plain[1])];
  for (let count = 0; count < 20; count += 1) {
    eu.localStorage.setItem(`canary-k${count}`, `canary-${count}`);
    await write(count % 2 === 0 ? eu : us, `canary-f${count}`, `canary-${count}`);
  }
  for (const region of [eu, us]) await region.sync.flush();
  await eu.sync.caughtUp();
  await plain[0].close();
  expect(treeHas(hub.root, 'canary-f').length).toBeGreaterThan(0);
  const fixture = await bundleFixture(new URL('./synced-kills.fixture.ts', import.meta.url));
  let last = 0;
  for (let kill = 0; kill < KILLS; kill += 1) last = await killAfter(fixture, [root, hub.url, TOKEN, ORIGIN], 1 + 7 * kill);
  expect(last).toBeGreaterThan(100);
  // Meanwhile the other one goes on without the key.
  us.localStorage.setItem('canary-us', 'canary-us');
  await write(us, 'canary-us', 'canary-us');
  await plain[1].close();
  const regions = [['eu', root], ['us', usRoot]].map(([name = '', at = '']) => ({ host: openHost(clientOf(hub), name, { root: at, encryption: migrating }), at }));
  for (const { host } of regions) await regionOf(host).sync.flush();
  for (const { host } of regions) await regionOf(host).sync.caughtUp();
  for (const { host, at } of regions) {
    const region = regionOf(host);
    for (let count = 0; count <= last; count += 1) expect(region.localStorage.getItem(`canary-k${count}`)).toBe(`canary-${count}`);
    expect(region.localStorage.getItem('canary-us')).toBe('canary-us');
    expect(await read(region, 'canary-us')).toBe('canary-us');
    // The last of each that is certain, or one that was written after it.
    for (let count = last - 19; count <= last; count += 1) expect(Number((await read(region, `canary-f${count % 20}`)).slice(7))).toBeGreaterThanOrEqual(count);
    expect(region.sync.status()).toMatchObject({ pending: 0, rejected: 0, problem: '' });
    expect(await region.sync.conflicts()).toEqual([]);
    await host.encrypt(ORIGIN);
    expect(treeHas(path.join(at, 'origins/https_canary-origin.example'), 'canary-')).toEqual(['origin.json']);
  }
  // What was committed last stays in one journal for all logs until that is compacted: docs/ENCRYPTION.md, "A hub".
  const kept = /^(commits|server)\//;
  for (const what of ['canary-f', 'canary-k', 'canary-us', 'canary-1']) expect(treeHas(hub.root, what).filter((name) => !kept.test(name))).toEqual([]);
});
