import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { listGenerations } from '../../src/disk/journal/generation-file.ts';
import { isHarmless } from '../../src/disk/verify/finding.ts';
import { until } from '../file-system/support.ts';
import { bundleFixture } from '../support/bundle.ts';
import { journalOf, temporary, verify } from './sample.ts';

const writers: ChildProcess[] = [];

afterEach(() => {
  for (const writer of writers.splice(0)) writer.kill('SIGKILL');
});

async function write(root: string): Promise<ChildProcess> {
  const writer = fork(await bundleFixture(new URL('./writer-fixture.ts', import.meta.url)), [root]);
  writers.push(writer);
  await once(writer, 'message');
  return writer;
}

const newest = (root: string): number => listGenerations(journalOf(root, 'local-storage'))?.at(-1) ?? -1;
const losses = (root: string): unknown[] => verify(root).findings.filter((finding) => !isHarmless(finding));

test('beside processes that write and compact nothing is found, nor after they are killed', { timeout: 240_000 }, async () => {
  const root = path.join(temporary(), 'root');
  for (let round = 1; round <= 4; round += 1) {
    const pair = await Promise.all([write(root), write(root)]);
    const before = newest(root);
    await until(() => {
      expect(losses(root)).toEqual([]);
      return Promise.resolve(newest(root) > before);
    });
    const ends = pair.map((writer) => once(writer, 'exit'));
    for (const writer of pair) writer.kill('SIGKILL');
    await Promise.all(ends);
    expect(losses(root)).toEqual([]);
  }
  expect(fs.readdirSync(journalOf(root, 'local-storage')).length).toBeGreaterThan(1);
});
