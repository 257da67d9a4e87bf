import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, type Plugin } from 'esbuild';
import type * as source from '../../../src/disk/journal/journal.ts';
import { keyed } from './journal.ts';

export type JournalModule = Pick<typeof source, 'Journal'>;

/** A deliberate defect: in `file`, `from` is replaced by `to`. */
export interface Defect {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const folder = fileURLToPath(new URL('../../../src/disk/journal/', import.meta.url));
const cache = fileURLToPath(new URL('../../../.cache/fixtures/', import.meta.url));

/** Builds the journal's source with defects in it, as one module; returns the module's URL. */
export async function buildVariant(name: string, defects: readonly Defect[] = []): Promise<string> {
  const outfile = join(cache, `journal-${name.replaceAll(/[^a-z]+/gi, '-')}-${process.pid}.mjs`);
  const missing = new Set(defects);
  const plugin: Plugin = {
    name: 'defects',
    setup(context) {
      context.onLoad({ filter: /disk\/journal\/[a-z-]+\.ts$/ }, ({ path }) => {
        let contents = readFileSync(path, 'utf8');
        for (const defect of defects) {
          if (defect.file !== basename(path)) continue;
          if (contents.split(defect.from).length !== 2) throw new Error(`${defect.file} does not hold once: ${defect.from}`);
          contents = contents.replace(defect.from, () => defect.to);
          missing.delete(defect);
        }
        return { contents, loader: 'ts' };
      });
    },
  };
  await build({
    entryPoints: [join(folder, 'journal.ts')],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'silent',
    plugins: [plugin],
  });
  for (const defect of missing) throw new Error(`${defect.file} was not part of the build`);
  return pathToFileURL(outfile).href;
}

export async function loadVariant(name: string, defects: readonly Defect[] = []): Promise<JournalModule> {
  const { Journal } = (await import(await buildVariant(name, defects))) as JournalModule;
  return { Journal: keyed(Journal) };
}
