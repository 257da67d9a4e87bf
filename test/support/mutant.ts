import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

/** A way to break the product: in `file`, `from` (which must occur exactly once) becomes `to`. */
export interface Mutant {
  readonly what: string;
  /** Relative to `src`. */
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

let bundled = 0;

/** Bundles a test's own entry with the product broken so; the path of the module, which whoever asked removes. */
export async function bundleMutant(entry: URL, { what, file, from, to }: Mutant): Promise<string> {
  const target = path.join(root, 'src', file);
  // From such a directory a module is loaded as it is: a test runner that has all that it loads rewritten takes ten times as long.
  const outfile = path.join(root, '.cache/mutants/node_modules', `${what.replace(/\W+/g, '-')}-${process.pid}-${++bundled}.mjs`);
  let isBroken = false;
  const mutate = async (): Promise<{ contents: string; loader: 'ts' }> => {
    const parts = (await fs.promises.readFile(target, 'utf8')).split(from);
    if (parts.length !== 2) throw new Error(`'${from}' occurs ${parts.length - 1} times in ${file}`);
    isBroken = true;
    return { contents: parts.join(to), loader: 'ts' };
  };
  const filter = new RegExp(`/src/${file.replaceAll('.', '\\.')}$`);
  await build({
    entryPoints: [fileURLToPath(entry)],
    outfile,
    inject: [path.join(root, 'src/disk/map/following-provided.ts'), path.join(root, 'src/disk/map/batching-provided.ts')],
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'silent',
    plugins: [{ name: 'mutant', setup: ({ onLoad }) => onLoad({ filter }, mutate) }],
  });
  if (!isBroken) throw new Error(`${fileURLToPath(entry)} does not need ${file}`);
  return outfile;
}

/** The same, loaded into this realm. */
export async function loadMutant<Module>(entry: URL, mutant: Mutant): Promise<Module> {
  const file = await bundleMutant(entry, mutant);
  try {
    return (await import(pathToFileURL(file).href)) as Module;
  } finally {
    fs.rmSync(file);
  }
}
