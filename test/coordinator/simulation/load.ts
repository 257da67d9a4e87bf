import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import type { Plugin } from 'esbuild';
import type { Mutant } from '../../support/mutant.ts';
import type * as World from './world.ts';

const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, '../../..');
let bundled = 0;

/** The simulated world, whose coordinators are broken where a mutant is given; its time and its randomness are the world's. */
export async function loadWorld(mutant: Mutant | null = null): Promise<typeof World> {
  const outfile = path.join(root, '.cache/mutants', `world-${process.pid}-${++bundled}.mjs`);
  await build({
    entryPoints: [path.join(here, 'world.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'silent',
    plugins: [simulated, ...(mutant === null ? [] : [broken(mutant)])],
  });
  try {
    return (await import(pathToFileURL(outfile).href)) as typeof World;
  } finally {
    fs.rmSync(outfile);
  }
}

/** Each of these modules of the runtime is the world's own. */
const simulated: Plugin = {
  name: 'simulated',
  setup({ onResolve }) {
    onResolve({ filter: /\/(timers|random)\.ts$/ }, ({ path: specifier, resolveDir }) => {
      const file = path.resolve(resolveDir, specifier);
      return path.dirname(file) === path.join(root, 'src/runtime') ? { path: path.join(here, path.basename(file)) } : undefined;
    });
  },
};

function broken({ file, from, to }: Mutant): Plugin {
  return {
    name: 'mutant',
    setup({ onLoad }) {
      onLoad({ filter: new RegExp(`/src/${file.replaceAll('.', '\\.')}$`) }, async ({ path: target }) => {
        const parts = (await fs.promises.readFile(target, 'utf8')).split(from);
        if (parts.length !== 2) throw new Error(`'${from}' occurs ${parts.length - 1} times in ${file}`);
        return { contents: parts.join(to), loader: 'ts' };
      });
    },
  };
}
