import { nameOf } from '../runner/discover.ts';
import type { Count } from '../report/count.ts';
import type { TestResult } from '../runner/result.ts';
import { appliesHere, exceptionFor, harnessExceptionFor, isKnownReason, type Entry, type Exception, type RunEntry, type SuiteRecord } from './record.ts';

/** One way in which a run and the record disagree. Every one of them fails the run. */
export interface Disagreement {
  readonly kind: 'failure' | 'pass' | 'stale' | 'unlisted' | 'record' | 'count';
  /** The file, or file and variant. */
  readonly where: string;
  readonly subtest: string | null;
  readonly message: string;
}

/** Checks the record itself against the files of a suite: no file may be missing from it, and none be gone. */
export function checkFiles(record: SuiteRecord, files: readonly string[]): Disagreement[] {
  const present = new Set(files);
  const unlisted = files.filter((file) => !(file in record)).map((file) => disagreement('unlisted', file, null, 'the record does not list this file'));
  const gone = Object.keys(record).filter((file) => !present.has(file)).map((file) => disagreement('stale', file, null, 'the record lists a file that is not there'));
  return [...unlisted, ...gone, ...Object.entries(record).flatMap(([file, entry]) => checkReasons(file, entry))];
}

/** The types hold the vocabulary; this holds it for an editor that runs no type checker. */
function checkReasons(file: string, entry: Entry): Disagreement[] {
  const given = entry.run ? [...(entry.except ?? []), ...(entry.harness === undefined ? [] : [entry.harness])] : [entry];
  return given.flatMap(({ reason, note }) => {
    if (!isKnownReason(reason)) return [disagreement('record', file, null, `'${String(reason)}' is not a reason: write why, in the words of record.ts`)];
    if (entry.run && (note ?? '').trim() === '') return [disagreement('record', file, null, `the reason '${reason}' has no note`)];
    return [];
  });
}

/** Compares one file's results, over all its variants, with its entry. */
export function checkResults<Why extends string>(entry: RunEntry<Why>, results: readonly TestResult[]): Disagreement[] {
  return [...results.flatMap((result) => [...checkHarness(entry, result), ...checkSubtests(entry, result)]), ...findStale(entry, results)];
}

function checkHarness(entry: RunEntry<string>, { test, harness, message, subtests }: TestResult): Disagreement[] {
  const where = nameOf(test);
  const expected = harnessExceptionFor(entry, test.variant)?.status ?? 'OK';
  if (harness === expected) {
    return harness === 'OK' && subtests.length === 0 ? [disagreement('failure', where, null, 'no subtest ran')] : [];
  }
  if (harness === 'OK') return [disagreement('pass', where, null, `the harness ended well, but ${expected} is recorded`)];
  return [disagreement('failure', where, null, `harness ${harness}: ${message ?? 'no message'}`)];
}

function checkSubtests(entry: RunEntry<string>, { test, subtests }: TestResult): Disagreement[] {
  const where = nameOf(test);
  return subtests.flatMap(({ name, status, message }) => {
    const exception = exceptionFor(entry, test.variant, name);
    if (status === 'PASS') return exception === undefined ? [] : [disagreement('pass', where, name, `passes, but is recorded as failing: ${exception.reason}`)];
    return exception === undefined ? [disagreement('failure', where, name, `${status}: ${message ?? 'no message'}`)] : [];
  });
}

/** An exception that names a subtest that no result has, or a variant that was not run. */
function findStale(entry: RunEntry<string>, results: readonly TestResult[]): Disagreement[] {
  return (entry.except ?? []).filter(appliesHere).flatMap((exception) => {
    const covered = results.filter(({ test }) => exception.variants?.includes(test.variant) ?? true);
    const names = new Set(covered.flatMap(({ subtests }) => subtests.map(({ name }) => name)));
    return exception.subtests.filter((name) => !names.has(name)).map((name) => staleSubtest(results, exception, name));
  });
}

function staleSubtest(results: readonly TestResult[], { variants }: Exception<string>, name: string): Disagreement {
  const where = `${results[0]?.test.file ?? 'no result'}${variants === undefined ? '' : ` (${variants.join(', ')})`}`;
  return disagreement('stale', where, name, 'the record lists a subtest that did not run');
}

/** A harness that ended early, or a realm without some of the globals, can lose subtests without a failure. */
export function checkCount({ test, harness, subtests }: TestResult, { total }: Count, expected: number | undefined): Disagreement[] {
  // Chromium can run some of the subtests that are out of a server's reach.
  if (expected === undefined || harness !== 'OK' || (total <= expected && expected <= subtests.length)) return [];
  return [disagreement('count', nameOf(test), null, `${total} subtests in a server's reach ran here, ${expected} in Chromium`)];
}

function disagreement(kind: Disagreement['kind'], where: string, subtest: string | null, message: string): Disagreement {
  return { kind, where, subtest, message };
}

