import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { sweepDrafts } from '../../src/disk/root/late-part.ts';

const id = '00000000-0000-4000-8000-000000000000';

test('what killed processes left of making journals goes when it is old, and nothing else', () => {
  const bucket = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-drafts-'));
  onTestFinished(() => fs.rmSync(bucket, { recursive: true, force: true }));
  const ours = ['quota', 'files-sync', 'channels', 'caches', 'locks'].map((journal) => `.new-${journal}-${id}`);
  const others = ['.new-quota-mine', `.new-other-${id}`, `new-quota-${id}`, 'quota', `.new-channels-${id}.txt`];
  for (const name of [...ours, ...others]) fs.mkdirSync(path.join(bucket, name, 'cand'), { recursive: true });
  sweepDrafts(bucket);
  expect(fs.readdirSync(bucket)).toHaveLength(ours.length + others.length);
  const old = new Date(Date.now() - 11 * 60_000);
  for (const name of fs.readdirSync(bucket)) fs.utimesSync(path.join(bucket, name), old, old);
  sweepDrafts(bucket);
  expect(fs.readdirSync(bucket).sort()).toEqual(others.sort());
});
