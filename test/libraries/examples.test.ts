import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryRoot } from './temporary.ts';

const run = promisify(execFile);
const door = ['--import', 'holdfast/globals'];

test.each([
  ['sqlite', door, /runs: 1/, /runs: 2/],
  ['sqlite-local-storage', door, /runs: 1/, /runs: 2/],
  ['happy-opfs', [], /^visit 1$/m, /^visit 1\nvisit 2$/m],
  ['zustand', door, /^1 /, /^2 /],
])('examples/%s.mjs remembers its first run', async (name, flags, first, second) => {
  const root = temporaryRoot();
  const start = async () => {
    const path = fileURLToPath(new URL(`../../examples/${name}.mjs`, import.meta.url));
    const { stdout, stderr } = await run(process.execPath, [...flags, path], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, HOLDFAST_ROOT: root },
    });
    expect(stderr).toBe('');
    return stdout;
  };
  expect(await start()).toMatch(first);
  expect(await start()).toMatch(second);
});
