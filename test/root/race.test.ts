import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';

interface Made {
  readonly salt: string;
  readonly path: string;
}

let fixture: string;
let parent: string;

beforeAll(async () => {
  fixture = await bundleFixture(new URL('./create-fixture.ts', import.meta.url));
});

beforeEach(() => {
  parent = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-race-'));
});

afterEach(() => fs.rmSync(parent, { recursive: true, force: true }));

async function startWaiting(root: string, origin: string, durability: string): Promise<ChildProcess> {
  const child = fork(fixture, [root, origin, durability]);
  await once(child, 'message');
  return child;
}

async function create(child: ChildProcess): Promise<Made> {
  const answer = once(child, 'message');
  child.send('go');
  const [made] = (await answer) as [Made];
  return made;
}

/** Forks that all find the root absent, and create it at the same moment. */
async function createTogether(root: string, origins: string[], durability: string): Promise<Made[]> {
  const children = await Promise.all(origins.map((origin) => startWaiting(root, origin, durability)));
  const made = await Promise.all(children.map(create));
  await Promise.all(children.map((child) => child.exitCode ?? once(child, 'exit')));
  expect(children.map((child) => child.exitCode)).toEqual(children.map(() => 0));
  return made;
}

test.each(['relaxed', 'strict'])('many processes create one root and one bucket at once (%s)', async (durability) => {
  const root = path.join(parent, 'deep', 'root');
  const made = await createTogether(root, Array<string>(12).fill('https://app.example'), durability);
  expect(new Set(made.map(({ salt }) => salt)).size).toBe(1);
  expect(new Set(made.map(({ path }) => path)).size).toBe(1);
  expect(fs.readdirSync(path.join(root, 'new'))).toEqual([]);
  expect(fs.readdirSync(path.join(root, 'origins'))).toEqual(['https_app.example']);
  expect(fs.readdirSync(made[0]?.path ?? '').sort()).toEqual(['files.0', 'local-storage', 'locks', 'swap', 'trash', 'wake']);
});

test('many processes create one root and different origins at once', async () => {
  const root = path.join(parent, 'root');
  const origins = Array.from({ length: 10 }, (_, index) => `https://tenant-${index}.example`);
  const made = await createTogether(root, origins, 'relaxed');
  expect(new Set(made.map(({ salt }) => salt)).size).toBe(1);
  expect(fs.readdirSync(path.join(root, 'origins')).length).toBe(10);
  expect(fs.readdirSync(path.join(root, 'new'))).toEqual([]);
});
