import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { Canaries, key, newRoot, open, ORIGIN } from './parts.ts';

/** More behind an environment variable; see CONTRIBUTING.md. */
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 3);

/** Runs the writer and kills it once it has written some versions, at any point of the next; the last that it has told of. */
async function killed(fixture: string, args: readonly string[], versions: number, delay: number): Promise<number> {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  let told = '';
  child.stdio[3]?.on('data', (bytes: Buffer) => {
    told += bytes.toString();
    if (told.split('\n').length > versions) setTimeout(() => child.kill('SIGKILL'), delay);
  });
  await new Promise((resolve) => child.once('close', resolve));
  return Number(told.slice(0, told.lastIndexOf('\n')).split('\n').at(-1));
}

test('killed at any time, a writer of caches, buckets and channels has kept what it told of, and leaves nothing plain', { timeout: 240_000 }, async () => {
  const fixture = await bundleFixture(new URL('parts.fixture.ts', import.meta.url));
  const root = newRoot();
  const canaries = new Canaries();
  const canary = canaries.new();
  let version = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    version = await killed(fixture, [root, Buffer.from(key).toString('hex'), canary, String(version)], 2 + (kill % 5), (kill * 7) % 12);
    expect(canaries.foundIn(root)).toEqual([]);
    const host = open(root);
    const { caches } = host.origin(ORIGIN);
    const response = await caches.match(`${ORIGIN}/${canary}`);
    const text = (await response?.text()) ?? '';
    const [, read = ''] = text.split(' ');
    // Whole: it ends as it began. The next one may be there, too.
    expect([version, version + 1]).toContain(Number(read));
    expect(text.endsWith(`${canary} ${read} `)).toBe(true);
    expect(response?.headers.get('x')).toBe(canary);
    await host.close();
    expect(canaries.foundIn(root)).toEqual([]);
  }
  fs.rmSync(fixture);
});
