import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startHub } from '../../../src/sync/hubs/embedded/start-hub.ts';

const token = 'a-token-that-is-long-enough-for-this';
let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-hub-foreign-'));
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

function write(file: string): void {
  fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  fs.writeFileSync(path.join(root, file), 'mine');
}

test.each(['new/letter', 'logs/today.log', 'server/index.js'])('a directory that has %s of somebody else does not become the root of a hub', async (file) => {
  write(file);
  await expect(startHub({ root, token })).rejects.toMatchObject({ code: 'root-unusable', message: expect.stringContaining(file.split('/')[0] ?? '') });
  expect(fs.readdirSync(root, { recursive: true }).sort()).toEqual([path.dirname(file), file]);
});

test("a hub removes its own unfinished work at its start, and nobody else's", async () => {
  await (await startHub({ root, token })).close();
  const draft = crypto.randomUUID();
  for (const name of [draft, 'letter']) write(`new/${name}`);
  await (await startHub({ root, token })).close();
  expect(fs.readdirSync(path.join(root, 'new'))).toEqual(['letter']);
});
