import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { closeAll, keeperOf } from './coordinators.ts';
import { Canaries, key, newRoot, open, until } from './parts.ts';

/** More behind an environment variable; see CONTRIBUTING.md. */
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 3);

afterEach(closeAll);

/** A process that writes; `told`: by name, the last version that it has said was written. */
function writer(fixture: string, args: readonly string[], told: Map<string, number>, onTold: () => void): ChildProcess {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  let rest = '';
  child.stdio[3]?.on('data', (bytes: Buffer) => {
    const lines = (rest + bytes.toString()).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [name = '', version = ''] = line.split(' ');
      told.set(name, Math.max(told.get(name) ?? 0, Number(version)));
    }
    onTold();
  });
  return child;
}

const ended = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once('close', resolve));

test('of two processes one is killed at any time: nothing that was told of is lost, the other goes on, and nothing is plain', { timeout: 120_000 }, async () => {
  const fixture = await bundleFixture(new URL('coordinators.fixture.ts', import.meta.url));
  const root = newRoot();
  const canaries = new Canaries();
  const canary = canaries.new();
  const args = [root, Buffer.from(key).toString('hex'), canary];
  const told = new Map<string, number>();
  for (let kill = 0; kill < KILLS; kill += 1) {
    let [first, second] = [0, 0];
    const one = writer(fixture, args, told, () => (first += 1));
    const other = writer(fixture, args, told, () => (second += 1));
    await until(() => first > 2 + (kill % 3) && second > 2);
    await new Promise((resolve) => setTimeout(resolve, (kill * 7) % 12));
    one.kill('SIGKILL');
    await ended(one);
    const before = second;
    expect(canaries.foundIn(root)).toEqual([]);
    // What the killed one ran is taken over.
    await until(() => second > before + 3);
    other.kill('SIGKILL');
    await ended(other);
    expect(canaries.foundIn(root)).toEqual([]);

    const { keeper, close } = keeperOf(open(root), canary);
    for (const [name, version] of told) {
      const found = keeper(`${canary} ${name}`);
      expect(Number(await found.get('count'))).toBeGreaterThanOrEqual(version);
      const text = (await found.get(canary)) ?? '';
      expect(text.length % `${canary} ${text.split(' ')[1]} `.length).toBe(0);
      expect(await found.readFile(`${canary} file`)).toMatch(new RegExp(`^(${canary} \\d+ )+$`));
    }
    await close();
    expect(canaries.foundIn(root)).toEqual([]);
  }
  fs.rmSync(fixture);
});
