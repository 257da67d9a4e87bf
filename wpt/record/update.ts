import fs from 'node:fs';
import path from 'node:path';
import { records } from '../expectations/index.ts';
import { projectRoot } from '../project.ts';
import { suites, type Suite, type Variant } from '../runner/discover.ts';
import type { TestResult } from '../runner/result.ts';
import { runRecorded, type RunRequest } from '../runner/run-and-check.ts';
import { appliesHere, exceptionFor, type Entry, type Exception, type HarnessException, type RunEntry, type SuiteRecord } from './record.ts';
import { formatRecord } from './format.ts';

/** What a new failure gets. It is no reason: the types and the gate refuse it until somebody writes a real one. */
const unexplained = 'unexplained' as Exception['reason'];

/** `npm run wpt:update`: rewrites the record to what a run saw. Reasons and notes that still hold are kept. */
export async function updateRecord(request: RunRequest): Promise<boolean> {
  const { files, results } = await runRecorded(request);
  let open = 0;
  for (const suite of suites) {
    const old = records[suite];
    const seen = files.get(suite) ?? [];
    const kept = request.paths.length === 0 ? [] : Object.keys(old).filter((file) => !seen.includes(file));
    const entries = [...seen, ...kept].sort().map((file): [string, Entry] => [file, newEntry(old[file], results.filter(({ test }) => test.file === file))]);
    const record: SuiteRecord = Object.fromEntries(entries);
    open += entries.filter(([, entry]) => JSON.stringify(entry).includes(`"${unexplained}"`)).length;
    fs.writeFileSync(recordFile(suite), formatRecord(suite, record));
  }
  console.log(open === 0 ? 'wpt/expectations is up to date' : `wpt/expectations is rewritten; ${open} files need a reason where it says '${unexplained}'`);
  return open === 0;
}

export function recordFile(suite: Suite): string {
  return path.join(projectRoot, 'wpt', 'expectations', `${suite.replaceAll('/', '-')}.ts`);
}

/** The entry that agrees with the results. */
export function newEntry(old: Entry | undefined, results: readonly TestResult[]): Entry {
  if (old?.run === false || results.length === 0) return old ?? { run: false, reason: unexplained };
  const harness = newHarness(old, results);
  const except = newExceptions(old, results);
  return { run: true, ...(harness === undefined ? {} : { harness }), ...(except.length === 0 ? {} : { except }) };
}

function newHarness(old: RunEntry | undefined, results: readonly TestResult[]): HarnessException | undefined {
  const bad = results.filter(({ harness }) => harness !== 'OK');
  const [first] = bad;
  if (first === undefined || first.harness === 'OK') return undefined;
  const variants = bad.length === results.length ? {} : { variants: bad.map(({ test }) => test.variant) };
  if (old?.harness?.status === first.harness) return { status: first.harness, reason: old.harness.reason, note: old.harness.note, ...(old.harness.beforeNode === undefined ? {} : { beforeNode: old.harness.beforeNode }), ...variants };
  return { status: first.harness, reason: unexplained, note: first.message ?? '', ...variants };
}

/** Failing subtests, grouped by the exception that covered them before; new ones by the variants in which they fail. */
function newExceptions(old: RunEntry | undefined, results: readonly TestResult[]): Exception[] {
  const variants = [...new Set(results.map(({ test }) => test.variant))];
  const failures = results.flatMap(({ test, subtests }) => subtests.filter(({ status }) => status !== 'PASS').map(({ name, message }) => ({ variant: test.variant, name, message })));
  const groups = new Map<Exception | string, { exception: Exception; names: Map<string, Set<Variant>> }>();
  for (const { variant, name, message } of failures) {
    const known = old === undefined ? undefined : exceptionFor(old, variant, name);
    const note = (message ?? '').split('\n')[0] ?? '';
    const key = known ?? note;
    const group = groups.get(key) ?? { exception: known ?? { reason: unexplained, note, subtests: [] }, names: new Map<string, Set<Variant>>() };
    groups.set(key, group);
    group.names.set(name, (group.names.get(name) ?? new Set()).add(variant));
  }
  // What is recorded for another version of Node cannot be seen here, so it stays.
  const elsewhere = (old?.except ?? []).filter((exception) => !appliesHere(exception));
  return [...[...groups.values()].flatMap(({ exception, names }) => splitByVariants(exception, names, variants)), ...elsewhere];
}

function splitByVariants({ reason, note, sinceNode, beforeNode }: Exception, names: ReadonlyMap<string, ReadonlySet<Variant>>, all: readonly Variant[]): Exception[] {
  const sets = new Map<string, { in: Variant[]; subtests: string[] }>();
  for (const [name, variants] of names) {
    const list = all.filter((variant) => variants.has(variant));
    const set = sets.get(list.join()) ?? { in: list, subtests: [] };
    sets.set(list.join(), set);
    set.subtests.push(name);
  }
  return [...sets.values()].map(({ in: list, subtests }) => ({
    reason,
    note,
    ...(sinceNode === undefined ? {} : { sinceNode }),
    ...(beforeNode === undefined ? {} : { beforeNode }),
    ...(list.length === all.length ? {} : { variants: list }),
    subtests,
  }));
}
