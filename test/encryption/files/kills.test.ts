import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { bundleFixture } from '../../support/bundle.ts';
import { readAll, TestFile, writeAll } from './support.ts';
import { CUT, isCut, SIZE, slotOf, stateAfter } from './versions.ts';

/** More behind an environment variable; see CONTRIBUTING.md. */
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 12);

let file: TestFile;
beforeEach(() => void (file = new TestFile()));
afterEach(() => file.remove());

/** Runs a writer and kills it once it has written some versions; the last that it has told of. */
async function killed(fixture: string, from: number, versions: number): Promise<number> {
  const child = spawn(process.execPath, [fixture, file.path, String(from)], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  let told = '';
  child.stdio[3]?.on('data', (bytes: Buffer) => {
    told += bytes.toString();
    if (told.split('\n').length > versions) child.kill('SIGKILL');
  });
  await new Promise((resolve) => child.once('close', resolve));
  return Number(told.slice(0, told.lastIndexOf('\n')).split('\n').at(-1));
}

/** What is wrong with a byte at a position, where `version` is there whole and the next may be in part. */
function isPossible(byte: number | undefined, position: number, version: number): boolean {
  if (byte === stateAfterCached(version)[position]) return true;
  const next = version + 1;
  const { start, end } = slotOf(next);
  if (position >= start && position < end && byte === stateAfterCached(next)[position]) return true;
  return isCut(next) && position >= SIZE - CUT && (byte === undefined || byte === 0);
}

const states = new Map<number, Buffer>();

function stateAfterCached(version: number): Buffer {
  const known = states.get(version) ?? stateAfter(version);
  return states.set(version, known) && known;
}

test('killed at any time, a writer leaves each block as it was or as it was to be, and no plain byte', { timeout: 240_000 }, async () => {
  const fixture = await bundleFixture(new URL('writer.fixture.ts', import.meta.url));
  writeAll(file.open(), stateAfter(0));
  let version = 0;
  for (let kill = 0; kill < KILLS; kill += 1) {
    version = await killed(fixture, version, 3 + ((kill * 37) % 90));
    const { raw } = file;
    expect(raw.includes('canary')).toBe(false);
    const bytes = readAll(file.open());
    expect(bytes.length).toBeGreaterThanOrEqual(isCut(version + 1) ? SIZE - CUT : SIZE);
    const wrong = [...Array(SIZE).keys()].find((position) => !isPossible(bytes[position], position, version));
    expect(wrong).toBeUndefined();
    // Whoever comes next begins with what is whole.
    const content = file.open();
    content.truncate(SIZE);
    content.write(stateAfter(version), 0);
    states.clear();
  }
  fs.rmSync(fixture);
});
