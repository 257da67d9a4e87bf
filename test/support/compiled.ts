// The source, compiled once for a run of tests, for Node to load it by itself. Vitest would have each file's modules
// sent to each worker and evaluated one by one, with every use of an import a property's: several times as slow.
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { transform, version } from 'esbuild';
import type { Plugin } from 'vitest/config';

const root = fileURLToPath(new URL('../..', import.meta.url));
const source = join(root, 'src');
/** In a folder of that name Vitest leaves modules to Node. */
const compiled = join(root, `.cache/tests/${version}/node_modules/src`);

/** What runs in a browser is bundled, never loaded. */
const isLoaded = (file: string): boolean => file.endsWith('.ts') && !file.startsWith('inspector/page/');

const filesBelow = (folder: string): string[] => readdirSync(folder, { recursive: true, encoding: 'utf8' });

/** A compiled file's time is when the file it was made of last changed in any way, so that nobody sets it back. */
async function compile(file: string): Promise<void> {
  const from = join(source, file);
  const to = join(compiled, `${file}.mjs`);
  const { ctime } = statSync(from);
  if (statSync(to, { throwIfNoEntry: false })?.mtime.getTime() === ctime.getTime()) return;
  const { code, map } = await transform(readFileSync(from, 'utf8'), {
    loader: 'ts',
    format: 'esm',
    target: 'node20.19',
    sourcemap: 'external',
    sourcefile: from,
    tsconfigRaw: { compilerOptions: { target: 'es2022', verbatimModuleSyntax: true } },
    define: { 'import.meta.url': JSON.stringify(pathToFileURL(from).href) },
  });
  mkdirSync(dirname(to), { recursive: true });
  const next = `${to}-${process.pid}`;
  writeFileSync(`${to}.map`, map);
  writeFileSync(next, `${code.replace(/(\b(?:from|import) ?\(?"\.[^"]+\.ts)"/g, '$1.mjs"')}//# sourceMappingURL=${pathToFileURL(to).href}.map\n`);
  utimesSync(next, ctime, ctime);
  renameSync(next, to);
}

let done: Promise<void> | undefined;

async function compileAll(): Promise<void> {
  const files = filesBelow(source).filter(isLoaded);
  await Promise.all(files.map(compile));
  const known = new Set(files);
  for (const file of filesBelow(compiled)) {
    const [of] = file.split('.mjs');
    if (file.includes('.mjs') && !known.has(of ?? '')) rmSync(join(compiled, file), { force: true });
  }
}

/** Leads a frame of a failure's stack from what was compiled to the source. */
export function leadToSource(_error: unknown, frame: { file: string; line: number; column: number }): void {
  if (!frame.file.startsWith(compiled)) return;
  const map = new SourceMap(JSON.parse(readFileSync(`${frame.file}.map`, 'utf8')) as SourceMapPayload);
  const entry = map.findEntry(frame.line - 1, frame.column - 1);
  if (!('originalLine' in entry)) return;
  frame.file = join(source, relative(compiled, frame.file).replace(/\.mjs$/, ''));
  frame.line = entry.originalLine + 1;
  frame.column = entry.originalColumn + 1;
}

/** For all tests but those that mock modules of the source, for Vitest has to load these itself. */
export function compiledSource(): Plugin {
  let isWatching = false;
  return {
    name: 'compiled-source',
    enforce: 'pre',
    configureVitest({ vitest }) {
      isWatching = vitest.config.watch;
    },
    buildStart: () => (done ??= compileAll()),
    resolveId(id, importer) {
      if (isWatching || importer === undefined || !id.startsWith('.')) return undefined;
      const file = relative(source, resolve(dirname(importer), id));
      if (file.startsWith('..') || !isLoaded(file)) return undefined;
      return { id: join(compiled, `${file}.mjs`), external: true };
    },
  };
}
