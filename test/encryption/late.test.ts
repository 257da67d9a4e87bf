import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import '../../src/host/broadcast-channel/provided.ts';
import type { StorageHost } from '../../src/index.ts';
import { tracesIn } from '../../src/disk/encryption/traces.ts';
import { bundleFixture } from '../support/bundle.ts';
import { closeAll, keeperOf } from './coordinators.ts';
import { key, open, ORIGIN } from './operator.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { idsIn } from './support.ts';

afterEach(closeAll);

/** Somebody who makes something, and has stopped amid that. */
async function stopped(root: string, what: string, step: string): Promise<() => Promise<string>> {
  const fixture = await bundleFixture(new URL('late.fixture.ts', import.meta.url));
  const goOn = path.join(path.dirname(root), 'go-on');
  const child = spawn(process.execPath, [fixture, root, Buffer.from(key).toString('hex'), what, step, goOn], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  let said = '';
  const ended = new Promise((resolve) => child.once('close', resolve));
  await Promise.race([ended, new Promise<void>((resolve) => child.stdio[3]?.on('data', (bytes: Buffer) => ((said += bytes.toString()), resolve())))]);
  return async () => {
    fs.writeFileSync(goOn, '');
    await ended;
    return said;
  };
}

const uses: Readonly<Record<string, (host: StorageHost) => Promise<unknown>>> = {
  bucket: async (host) => {
    const bucket = await host.origin(ORIGIN).storageBuckets.open('late');
    return bucket.locks.request('lock', () => 'late');
  },
  channel: (host) => {
    const client = host.origin(ORIGIN);
    const heard = new Promise((resolve) => (new client.BroadcastChannel('late').onmessage = ({ data }) => resolve(data)));
    new client.BroadcastChannel('late').postMessage('late');
    return heard;
  },
  coordinator: async (host) => {
    const { keeper, close } = keeperOf(host, 'Late');
    const value = await keeper('late').get('late');
    await close();
    return value;
  },
};

const cases = Object.keys(uses).flatMap((what) => (['file', 'place'] as const).map((step) => ({ what, step })));

test.each(cases)('a $what that is being made while keys are forgotten, stopped before its $step, can be used afterwards', async ({ what, step }) => {
  const root = path.join(temporaryDirectory(), 'root');
  const host = open(root);
  host.origin(ORIGIN).localStorage.setItem('k', 'v');
  const goOn = await stopped(root, what, step);
  await host.rekey(ORIGIN, { dataKey: true, files: true });
  expect(await goOn()).toBe('stopped\ntrue\n');
  const needed = tracesIn(path.join(root, 'origins/https_a.example')).ids;
  for (const id of needed) expect(idsIn(root)).toContain(id);
  expect(await uses[what]?.(open(root))).toBe('late');
  // Whatever was kept for its sake is not, the next time.
  await host.rekey(ORIGIN, { files: true });
  expect(idsIn(root)).toEqual([2]);
});
