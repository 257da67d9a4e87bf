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

interface Writer {
  readonly child: ChildProcess;
  /** Resolves once it has ended; to how. */
  readonly ended: Promise<string>;
}

const writers: ChildProcess[] = [];

afterEach(() => {
  for (const writer of writers.splice(0)) writer.kill('SIGKILL');
});

async function write(root: string): Promise<Writer> {
  const child = fork(await bundleFixture(new URL('./writer-fixture.ts', import.meta.url)), [root], { stdio: ['ignore', 'inherit', 'pipe', 'ipc'] });
  writers.push(child);
  let errors = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const ended = new Promise<string>((resolve) => child.once('close', (code, signal) => resolve(`a writer has ended: ${code ?? signal} ${errors}`)));
  const early = await Promise.race([once(child, 'message').then(() => null), ended]);
  if (early !== null) throw new Error(early);
  return { child, ended };
}

const newest = (root: string): number => listGenerations(journalOf(root, 'local-storage'))?.at(-1) ?? -1;
const losses = (root: string): unknown[] => verify(root).findings.filter((finding) => !isHarmless(finding));

test('beside processes that write and compact nothing is found, nor after they are killed', { timeout: 240_000 }, async () => {
  const root = path.join(temporary(), 'root');
  for (let round = 1; round <= 4; round += 1) {
    const pair = await Promise.all([write(root), write(root)]);
    const before = newest(root);
    await until(async () => {
      expect(losses(root)).toEqual([]);
      for (const { child, ended } of pair) if (child.exitCode !== null) throw new Error(await ended);
      return newest(root) > before;
    });
    for (const { child } of pair) child.kill('SIGKILL');
    await Promise.all(pair.map(({ ended }) => ended));
    expect(losses(root)).toEqual([]);
  }
  expect(fs.readdirSync(journalOf(root, 'local-storage')).length).toBeGreaterThan(1);
});
