import { execFile, execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { expect, onTestFinished, test } from 'vitest';
import { repository } from './packed.ts';

/** Bundlers that are too large to be development dependencies: installed once, as the runtimes are. */
const BUNDLERS = { webpack: '^5.101.0', rollup: '^4.46.0' };

const bundlersFolder = path.join(repository, '.cache', 'bundlers');

/** A bundler of {@link BUNDLERS}; null where it cannot be had. */
async function bundler<T>(name: keyof typeof BUNDLERS): Promise<T | null> {
  const manifest = path.join(bundlersFolder, 'package.json');
  const require = createRequire(manifest);
  try {
    if (!fs.existsSync(path.join(bundlersFolder, 'node_modules', name))) {
      fs.mkdirSync(bundlersFolder, { recursive: true });
      fs.writeFileSync(manifest, JSON.stringify({ private: true, type: 'module', dependencies: BUNDLERS }));
      execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: bundlersFolder, stdio: 'ignore' });
    }
    return (await import(pathToFileURL(require.resolve(name)).href)) as T;
  } catch {
    return null;
  }
}

/** A project outside of the checkout that has the built package, and none of its optional peers. */
function project(): { folder: string; entry: string } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-bundle-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  const installed = path.join(folder, 'node_modules/holdfast');
  fs.mkdirSync(installed, { recursive: true });
  fs.cpSync(path.join(repository, 'dist'), path.join(installed, 'dist'), { recursive: true });
  fs.copyFileSync(path.join(repository, 'package.json'), path.join(installed, 'package.json'));
  fs.writeFileSync(path.join(folder, 'package.json'), '{"type":"module"}');
  const entry = path.join(folder, 'entry.mjs');
  fs.copyFileSync(new URL('fixtures/sync-client.mjs', import.meta.url), entry);
  return { folder, entry };
}

/** What the bundle says where nothing can be found but what is in it. */
async function run(folder: string): Promise<string> {
  fs.rmSync(path.join(folder, 'node_modules'), { recursive: true });
  const env = { PATH: process.env['PATH'], HUB_ROOT: path.join(folder, 'hub') };
  const { stdout } = await promisify(execFile)(process.execPath, [path.join(folder, 'out/entry.mjs')], { cwd: folder, env });
  return stdout.trim();
}

test('esbuild bundles a program that uses the embedded hub only, without the packages of the others', async () => {
  const { folder, entry } = project();
  const { errors } = await build({ entryPoints: [entry], outfile: path.join(folder, 'out/entry.mjs'), bundle: true, format: 'esm', platform: 'node', logLevel: 'silent' });
  expect(errors).toEqual([]);
  expect(await run(folder)).toBe('1');
});

interface Webpack {
  default(options: object, done: (error: Error | null, stats?: { toJson(): { errors?: { message: string }[] } }) => void): void;
}

test('webpack does so too', { timeout: 180_000 }, async ({ skip }) => {
  const webpack = await bundler<Webpack>('webpack');
  if (webpack === null) return skip('webpack cannot be installed');
  const { folder, entry } = project();
  const output = { path: path.join(folder, 'out'), filename: 'entry.mjs', module: true, library: { type: 'module' } };
  const errors = await new Promise((resolve, reject) => {
    webpack.default({ mode: 'production', target: 'node20', context: folder, entry, output, experiments: { outputModule: true } }, (error, stats) => {
      if (error === null) resolve(stats?.toJson().errors?.map(({ message }) => message));
      else reject(error);
    });
  });
  expect(errors).toEqual([]);
  expect(await run(folder)).toBe('1');
});

interface Rollup {
  rollup(options: object): Promise<{ write(options: object): Promise<unknown> }>;
}

test('rollup does so too', { timeout: 180_000 }, async ({ skip }) => {
  const rollup = await bundler<Rollup>('rollup');
  if (rollup === null) return skip('rollup cannot be installed');
  const { folder, entry } = project();
  // It follows no names of packages by itself.
  const resolveHoldfast = { name: 'holdfast', resolveId: (id: string) => (id === 'holdfast/sync' ? path.join(folder, 'node_modules/holdfast/dist/sync.js') : null) };
  const bundle = await rollup.rollup({ input: entry, external: [/^node:/], plugins: [resolveHoldfast], onwarn: () => undefined });
  await bundle.write({ dir: path.join(folder, 'out'), format: 'es', entryFileNames: 'entry.mjs' });
  expect(await run(folder)).toBe('1');
});
