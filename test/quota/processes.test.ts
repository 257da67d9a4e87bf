import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { QuotaOption } from '../../src/host/options.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { until } from '../file-system/support.ts';
import { bundleFixture } from '../support/bundle.ts';
import { encrypted } from '../support/sealed.ts';
import { weigh } from '../tree/support.ts';

const QUOTA = 8 * 2 ** 20;
const FILES_ONLY = { total: QUOTA, localStorage: 0 };
const STEP = 4096;

let home: string;
let root: string;
const children: ChildProcess[] = [];

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-quota-'));
  root = path.join(home, 'root');
});

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  fs.rmSync(home, { recursive: true, force: true });
});

async function start(name: string, quota: QuotaOption = FILES_ONLY): Promise<ChildProcess> {
  const fixture = await bundleFixture(new URL('./filler-fixture.ts', import.meta.url));
  const child = fork(fixture, [root, JSON.stringify(quota), name, String(STEP)]);
  children.push(child);
  await once(child, 'message');
  return child;
}

async function fill(child: ChildProcess, what: 'fill' | 'items' = 'fill'): Promise<{ size: number; refusal: { kind: string; limit: number; requested: number } }> {
  child.send(what);
  const [answer] = (await once(child, 'message')) as [Awaited<ReturnType<typeof fill>>];
  return answer;
}

const bucket = (): string => path.join(root, 'origins', 'https_app.example', 'default');

test('two processes fill the quota together, never beyond it, and all of it', { timeout: 120_000 }, async () => {
  const fillers = [await start('one'), await start('other')];
  const [first] = await Promise.all(fillers.map((filler) => fill(filler)));
  expect(weigh(bucket())).toBeLessThanOrEqual(QUOTA);
  expect(first?.refusal).toMatchObject({ kind: 'QuotaExceededError', limit: QUOTA });
  expect(first?.refusal.requested).toBeGreaterThan(QUOTA);
  // What one of them had reserved and not used comes back soon.
  await until(async () => {
    for (const filler of fillers) await fill(filler);
    return weigh(bucket()) > QUOTA - STEP;
  });
  expect(weigh(bucket())).toBeLessThanOrEqual(QUOTA);
});

test('what a killed process has left is counted, and the rest can be used', { timeout: 120_000 }, async () => {
  const killed = await start('killed');
  await fill(killed);
  killed.kill('SIGKILL');
  await once(killed, 'exit');
  const host = new StorageHost({ root, quota: FILES_ONLY, ...encrypted });
  const { storage } = host.origin('https://app.example');
  await until(async () => (await storage.estimate()).usage === weigh(bucket()));
  await (await storage.getDirectory()).removeEntry('killed');
  // A large file is deleted in the background; until then it is in use.
  await until(async () => weigh(bucket()) < QUOTA / 2 && (await storage.estimate()).usage === weigh(bucket()));
  await host.close();
  const other = await start('other');
  await fill(other);
  expect(weigh(bucket())).toBeGreaterThan(QUOTA - 2 * STEP);
  expect(weigh(bucket())).toBeLessThanOrEqual(QUOTA);
});

test.each(['fill', 'items'] as const)('files and items of two processes are never beyond the quota together, and each has its part (%s first)', { timeout: 120_000 }, async (what) => {
  const [one, other] = [await start('one', QUOTA), await start('other', QUOTA)];
  const rest = what === 'fill' ? 'items' : 'fill';
  await fill(one, what);
  await Promise.all([fill(other, rest), fill(one, rest), fill(other, what)]);
  await until(async () => {
    await fill(one);
    return weigh(bucket()) > QUOTA / 2 - STEP;
  });
  const host = new StorageHost({ root, quota: QUOTA, ...encrypted });
  const { localStorage, storage } = host.origin('https://app.example');
  const items = Object.entries(localStorage as Record<string, string>).reduce((total, [key, value]) => total + 2 * (key.length + value.length), 0);
  expect(items).toBeGreaterThan(QUOTA / 2 - 3 * STEP);
  expect(weigh(bucket()) + items).toBeLessThanOrEqual(QUOTA);
  const { quota, usage } = await storage.estimate();
  expect(quota).toBe(QUOTA);
  expect(usage).toBeLessThanOrEqual(QUOTA);
  await host.close();
});
