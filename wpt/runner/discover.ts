import fs from 'node:fs';
import path from 'node:path';
import type { Folders } from '../realm/config.ts';

/** The suites that are run, as folders of the checkout; `ours` is wpt/ours. */
export const suites = ['fs', 'file-system-access', 'webstorage', 'web-locks', 'storage', 'IndexedDB', 'service-workers/cache-storage', 'webmessaging/broadcastchannel', 'ours'] as const;
export type Suite = (typeof suites)[number];

/** How one file is run. The names are those of the tests' own server. */
export type Variant = 'any' | 'any.worker' | 'window' | 'worker' | 'html';

/** One file, run one way. */
export interface Test {
  readonly suite: Suite;
  /** Relative to the checkout, e.g. fs/root-name.https.any.js; our own begin with ours/. */
  readonly file: string;
  readonly variant: Variant;
  /** Of a `// META: variant=?…` line, with its question mark; else empty. */
  readonly query: string;
  readonly realm: 'window' | 'worker';
  readonly scripts: readonly string[];
  readonly title: string | null;
  readonly timeout: 'normal' | 'long';
}

const helpers = new Set(['resources', 'script-tests', 'support']);
const isTest = /\.(any|window|worker)\.js$|\.html?$/;

/** All test files of a suite, sorted, manual tests and crash tests included. */
export function findFiles(folders: Folders, suite: Suite): string[] {
  const base = suite === 'ours' ? folders.ours : path.join(folders.checkout, suite);
  const files: string[] = [];
  const visit = (relative: string): void => {
    for (const entry of fs.readdirSync(path.join(base, relative), { withFileTypes: true })) {
      const below = path.posix.join(relative, entry.name);
      if (entry.isDirectory()) {
        if (!helpers.has(entry.name)) visit(below);
      } else if (isTest.test(entry.name)) files.push(path.posix.join(suite, below));
    }
  };
  if (fs.existsSync(base)) visit('');
  return files.sort();
}

/** Every way in which a file is run here; none for one that wants only shared or service workers. */
export function testsOf(folders: Folders, suite: Suite, file: string): Test[] {
  const meta = readMeta(fs.readFileSync(fileOnDisk(folders, file), 'utf8'), file);
  return meta.queries.flatMap((query) =>
    variantsOf(file, meta).map((variant): Test => ({
      suite,
      file,
      variant,
      query,
      realm: variant === 'any.worker' || variant === 'worker' ? 'worker' : 'window',
      scripts: scriptsOf(file, variant, meta),
      title: meta.title,
      timeout: meta.timeout,
    })),
  );
}

/** The name by which results and records know a test: fs/x.any.js (any.worker)?query. */
export function nameOf(test: Pick<Test, 'file' | 'variant' | 'query'>): string {
  return `${test.file} (${test.variant})${test.query}`;
}

export function fileOnDisk(folders: Folders, file: string): string {
  return file.startsWith('ours/') ? path.join(folders.ours, file.slice('ours/'.length)) : path.join(folders.checkout, file);
}

interface Meta {
  readonly scripts: readonly string[];
  readonly globals: ReadonlySet<string>;
  readonly queries: readonly string[];
  readonly title: string | null;
  readonly timeout: 'normal' | 'long';
}

/** https://web-platform-tests.org/writing-tests/testharness.html#specifying-metadata */
function readMeta(text: string, file: string): Meta {
  const of = (key: string): string[] => [...text.matchAll(new RegExp(`^// META: *${key}=(.*)$`, 'gm'))].map(([, value = '']) => value.trim());
  const queries = of('variant');
  const long = of('timeout').includes('long') || (isHtml(file) && /<meta\s+name="?timeout"?\s+content="?long/i.test(text));
  return {
    scripts: of('script'),
    globals: new Set((of('global')[0] ?? 'window,dedicatedworker').split(',').map((name) => name.trim())),
    queries: queries.length === 0 ? [''] : queries,
    title: of('title')[0] ?? null,
    timeout: long ? 'long' : 'normal',
  };
}

function variantsOf(file: string, { globals }: Meta): Variant[] {
  if (isHtml(file)) return ['html'];
  if (file.endsWith('.window.js')) return ['window'];
  if (file.endsWith('.worker.js')) return ['worker'];
  const variants: Variant[] = [];
  if (globals.has('window')) variants.push('any');
  if (globals.has('worker') || globals.has('dedicatedworker')) variants.push('any.worker');
  return variants;
}

function scriptsOf(file: string, variant: Variant, meta: Meta): string[] {
  // A .worker.js file imports the harness itself; an .html file names its scripts.
  if (variant === 'worker' || variant === 'html') return [`/${file}`];
  return ['/resources/testharness.js', ...meta.scripts, `/${file}`];
}

function isHtml(file: string): boolean {
  return /\.html?$/.test(file);
}
