import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';

test.each([
  ['one file', { minify: false }, 1],
  ['one minified file', { minify: true }, 1],
  ['split files', { splitting: true }, 3],
])('a handler that is bundled with Holdfast into %s runs, and remembers', async (_name, options, leastFiles) => {
  // Outside of the checkout, where nothing can be found but what is in the bundle.
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bundle-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const outdir = join(directory, 'bundle');
  const { warnings } = await build({
    ...options,
    entryPoints: [fileURLToPath(new URL('fixtures/handler.mjs', import.meta.url))],
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'silent',
  });
  expect(warnings).toEqual([]);
  const files = readdirSync(outdir);
  expect(files.length).toBeGreaterThanOrEqual(leastFiles);
  if (leastFiles === 1) expect(files).toEqual(['handler.mjs']);
  const start = async () => {
    const env = { PATH: process.env['PATH'], HOLDFAST_ROOT: join(directory, 'root') };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(outdir, 'handler.mjs')], { cwd: directory, env });
    expect(stderr).toBe('');
    return JSON.parse(stdout) as unknown;
  };
  expect(await start()).toEqual({ visits: '1', text: 'visited\n', lock: 'l', isFile: true, received: 'log.txt' });
  expect(await start()).toEqual({ visits: '2', text: 'visited\nvisited\n', lock: 'l', isFile: true, received: 'log.txt' });
});
