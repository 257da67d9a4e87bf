// Node 20 cannot run TypeScript, so the runner and its realms are bundled into .cache/wpt before they run.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const project = fileURLToPath(new URL('..', import.meta.url));
const outdir = join(project, '.cache', 'wpt');

/** Bundles the runner; the result is the URL of the module that exports `main(arguments)`. */
export async function bundle() {
  const { outputFiles } = await build({
    absWorkingDir: project,
    entryPoints: {
      cli: 'wpt/cli.ts',
      'realm-process': 'wpt/realm/realm-process.ts',
      'realm-thread': 'wpt/realm/realm-thread.ts',
    },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    write: false,
  });
  mkdirSync(outdir, { recursive: true });
  for (const { path, contents } of outputFiles) replaceFile(path, contents);
  return pathToFileURL(join(outdir, 'cli.mjs')).href;
}

// Two runs at once bundle the same files: neither may see half of one.
function replaceFile(path, contents) {
  const temporary = join(dirname(path), `${process.pid}-${Math.random().toString(36).slice(2)}.tmp`);
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}
