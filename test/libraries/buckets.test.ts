import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { temporaryRoot } from './temporary.ts';

const run = promisify(execFile);

test('examples/visitor-bucket.mjs goes on with a session until its end, and then begins a new one', { timeout: 120_000 }, async () => {
  const root = temporaryRoot();
  const visit = async (seconds: number): Promise<string> => {
    const { stdout, stderr } = await run(process.execPath, ['--import', 'holdfast/globals', fileURLToPath(new URL('../../examples/visitor-bucket.mjs', import.meta.url)), String(seconds)], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      env: { ...process.env, HOLDFAST_ROOT: root },
    });
    expect(stderr).toBe('');
    return stdout;
  };
  expect(await visit(600)).toBe('visit 1, step 1 of its session\nbuckets: lasting, session\n');
  expect(await visit(2)).toMatch(/^visit 2, step 2 of its session\nbuckets: lasting/);
  // It ended two seconds after the last visit had set its end.
  await new Promise((resolve) => setTimeout(resolve, 2000));
  expect(await visit(600)).toMatch(/^visit 3, step 1 of its session\nbuckets: lasting, session/);
});
