import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { StorageHost } from '../../../src/index.ts';
import type { StorageClient } from '../../../src/index.ts';
import { embeddedHub, startHub } from '../../../src/sync/index.ts';
import { bundleFixture } from '../../support/bundle.ts';
import { encrypted } from '../../support/sealed.ts';

const ORIGIN = 'https://app.example';
const TOKEN = 'a-secret-of-the-test';
const KILLS = 5;
const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function newRoot(): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-killed-'));
  endings.push(() => fs.rmSync(root, { recursive: true, force: true }));
  return root;
}

function open(root: string, url: string, region: string): StorageClient {
  const host = new StorageHost({ root, sync: { hub: embeddedHub({ url, token: TOKEN }), region }, ...encrypted });
  endings.push(() => host.close());
  return host.origin(ORIGIN);
}

/** Runs a writer, kills it once it has written `writes` more, and returns the last key that it was sure of. */
async function killAmidWrites(fixture: string, args: string[], writes: number): Promise<number> {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  endings.push(() => child.kill('SIGKILL'));
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
    if (output.split('\n').length > writes) child.kill('SIGKILL');
  });
  await once(child, 'close');
  return Number(output.slice(0, output.lastIndexOf('\n')).split('\n').at(-1));
}

test('what a killed process wrote is sent by the next one of its root, all of it, once and in order', async () => {
  const hub = await startHub({ root: newRoot(), token: TOKEN, port: 0 });
  endings.push(() => hub.close());
  const fixture = await bundleFixture(new URL('./killed-fixture.ts', import.meta.url));
  const root = newRoot();
  let last = -1;
  for (let kill = 1; kill <= KILLS; kill++) last = await killAmidWrites(fixture, [root, hub.url, TOKEN], 40 * kill);
  expect(last).toBeGreaterThanOrEqual(40 * KILLS - 1);

  const eu = open(root, hub.url, 'eu');
  await eu.sync?.flush();
  const us = open(newRoot(), hub.url, 'us');
  await us.sync?.caughtUp();
  const keys = Object.keys(us.localStorage);
  expect(keys.length).toBeGreaterThan(last);
  expect(keys).toEqual(keys.map((_, index) => `k${index}`));
  expect(Object.entries(eu.localStorage)).toEqual(Object.entries(us.localStorage));
  expect(eu.sync?.status()).toMatchObject({ pending: 0, rejected: 0, problem: '' });
});
