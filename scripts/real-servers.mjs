// The servers of others that the tests start, for programs that are not TypeScript: the demonstration, the benchmark.
import { mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const folder = new URL('../test/support/servers/', import.meta.url);
// Below the project, for its packages are to be found from there.
const cache = fileURLToPath(new URL('../.cache/servers', import.meta.url));

async function load(name) {
  mkdirSync(cache, { recursive: true });
  const outfile = `${cache}/${name}-${process.pid}.mjs`;
  const entry = fileURLToPath(new URL(`${name}.ts`, folder));
  try {
    await build({ entryPoints: [entry], outfile, bundle: true, format: 'esm', platform: 'node', target: 'node20.19', packages: 'external', logLevel: 'silent' });
    return await import(pathToFileURL(outfile));
  } finally {
    rmSync(outfile, { force: true });
  }
}

/** Null where it cannot be had on this machine; `onMissing` is told why. */
async function start(name, starter, onMissing, ...args) {
  const module = await load(name);
  try {
    return await module[starter](...args);
  } catch (error) {
    // Each bundle has a class of its own.
    if (error?.constructor?.name !== 'ServerMissing') throw error;
    onMissing(error.message);
    return null;
  }
}

export const startPostgres = (onMissing) => start('postgres', 'startPostgres', onMissing);
export const startNats = (onMissing) => start('nats', 'startNats', onMissing);
