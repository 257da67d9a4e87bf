import fs from 'node:fs';
import path from 'node:path';
import { requireTests } from '../fetch/fetch.ts';
import { checkCount, checkFiles, checkResults, type Disagreement } from '../record/gate.ts';
import { whenEncrypted } from '../expectations/encrypted.ts';
import { records } from '../expectations/index.ts';
import { oursPath, projectRoot, UsageError } from '../project.ts';
import type { Folders } from '../realm/config.ts';
import { figureFor, readChromiumFigures } from '../report/chromium.ts';
import { countOf } from '../report/count.ts';
import { printDisagreements, printSubtests, printSummary } from '../report/print.ts';
import { findFiles, nameOf, suites, testsOf, type Suite, type Test } from './discover.ts';
import { isFeatureSubtest } from './feature-subtests.ts';
import { oneRealmEach } from './one-realm-each.ts';
import type { TestResult } from './result.ts';
import { runAll } from './run-all.ts';

export interface RunRequest {
  /** Beginnings of file names, e.g. fs/root; none for everything. */
  readonly paths: readonly string[];
  readonly jobs: number | null;
  readonly patience: number;
  /** Without Holdfast, as a test of the runner itself. */
  readonly absent: boolean;
  /** With everything that Holdfast stores encrypted. */
  readonly key: boolean;
  /** What chooses one of the realms in which a file runs alike; null: it runs in all. */
  readonly some: number | null;
}

/** All that one run saw. */
export interface Run {
  readonly folders: Folders;
  readonly files: ReadonlyMap<Suite, readonly string[]>;
  readonly results: readonly TestResult[];
}

/** `npm run wpt`: true when the run and the record agree. */
export async function runAndCheck(request: RunRequest): Promise<boolean> {
  const run = await runRecorded(request);
  if (request.absent) return checkAbsence(run.results);
  if (request.paths.length > 0) printSubtests(run.results);
  const disagreements = [...run.files].flatMap(([suite, files]) => checkSuite(suite, files, run.results, request));
  const figures = readChromiumFigures();
  // Figures of single queries are for the report alone: of structured-clone.any.js?101-last Chromium's worker runs seven more, of
  // interfaces of documents, and one more where Node has no Float16Array, whose subtest moves all behind it by one.
  disagreements.push(...run.results.flatMap((result) => checkCount(result, countOf([result]), figureFor(figures, { ...result.test, query: '' })?.total)));
  printSummary(run.results);
  printDisagreements(disagreements);
  return disagreements.length === 0;
}

/** Runs every file that the record says to run and the request names. */
export async function runRecorded(request: RunRequest): Promise<Run> {
  if (!request.absent) requireBuild();
  const folders: Folders = { checkout: await requireTests(), ours: oursPath, examples: path.join(projectRoot, 'examples') };
  const files = new Map(suites.map((suite): [Suite, string[]] => [suite, findFiles(folders, suite).filter((file) => isWanted(file, request.paths))]));
  const unknown = request.paths.find((path) => ![...files.values()].flat().some((file) => file.startsWith(path)));
  if (unknown !== undefined) throw new UsageError(`No test file begins with '${unknown}'`);
  const all = [...files].flatMap(([suite, names]) => names.flatMap((file) => wantedTests(folders, suite, file, request)));
  const tests = request.some === null ? all : oneRealmEach(all, request.some);
  if (request.some !== null) console.log(`${tests.length} of ${all.length} realms; the same again: --some=${request.some}`);
  const results = await runAll(tests, { folders, product: !request.absent, encrypted: request.key, jobs: request.jobs, patience: request.patience });
  return { folders, files, results };
}

function requireBuild(): void {
  if (!fs.existsSync(path.join(projectRoot, 'dist', 'index.js'))) throw new UsageError('Holdfast is not built: run npm run build');
}

function isWanted(file: string, paths: readonly string[]): boolean {
  return paths.length === 0 || paths.some((path) => file.startsWith(path));
}

/** A file that is named in full is run whatever the record says, so that one can look at it. */
function wantedTests(folders: Folders, suite: Suite, file: string, { paths }: RunRequest): Test[] {
  const entry = records[suite][file];
  return entry?.run !== false || paths.includes(file) ? testsOf(folders, suite, file) : [];
}

function checkSuite(suite: Suite, files: readonly string[], results: readonly TestResult[], { paths, key }: RunRequest): Disagreement[] {
  const record = records[suite];
  const fileFaults = checkFiles(record, files).filter(({ kind }) => paths.length === 0 || kind !== 'stale');
  return [
    ...fileFaults,
    ...files.flatMap((file) => {
      const entry = (key ? whenEncrypted[file] : undefined) ?? record[file];
      return entry?.run === true ? checkResults(entry, results.filter(({ test }) => test.file === file)) : [];
    }),
  ];
}

/** With Holdfast absent no feature may be there: a runner that supplied one, or a harness that counts wrongly, shows here. */
function checkAbsence(results: readonly TestResult[]): boolean {
  const passed = results.flatMap(({ test, subtests }) =>
    subtests.filter(({ name, status }) => status === 'PASS' && isFeatureSubtest(test.realm, name)).map(({ name }) => `${nameOf(test)}: ${name}`),
  );
  const all = results.reduce((count, { test, subtests }) => count + subtests.filter(({ name }) => isFeatureSubtest(test.realm, name)).length, 0);
  for (const line of passed) console.log(`passes without Holdfast: ${line}`);
  console.log(`Holdfast absent: ${passed.length} of ${all} feature subtests pass`);
  return passed.length === 0;
}
