import { records } from '../expectations/index.ts';
import type { Disagreement } from '../record/gate.ts';
import { exceptionFor } from '../record/record.ts';
import { nameOf, suites } from '../runner/discover.ts';
import type { TestResult } from '../runner/result.ts';
import { countOf } from './count.ts';

/** Every subtest of every result, for a run of a few files. */
export function printSubtests(results: readonly TestResult[]): void {
  for (const { test, harness, message, subtests, milliseconds } of results) {
    console.log(`${nameOf(test)}  ${(milliseconds / 1000).toFixed(1)} s${harness === 'OK' ? '' : `  harness ${harness}: ${message ?? ''}`}`);
    const expected = (name: string): string => {
      const entry = records[test.suite][test.file];
      const exception = entry === undefined ? undefined : exceptionFor(entry, test.variant, name);
      return exception === undefined ? '' : ` [recorded: ${exception.reason}]`;
    };
    for (const { name, status, message: why } of subtests) {
      console.log(`  ${status.padEnd(4)}  ${name}${expected(name)}${why === null || status === 'PASS' ? '' : `\n        ${firstLine(why)}`}`);
    }
  }
}

export function printSummary(results: readonly TestResult[]): void {
  const rows = suites.flatMap((suite) => {
    const own = results.filter(({ test }) => test.suite === suite);
    if (own.length === 0) return [];
    const { passed, total } = countOf(own);
    return [[suite, `${own.length} realms`, `${passed} of ${total} subtests`]];
  });
  const { passed, total } = countOf(results);
  rows.push(['all', `${results.length} realms`, `${passed} of ${total} subtests`]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  for (const row of rows) console.log(row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  '));
}

const titles: Readonly<Record<Disagreement['kind'], string>> = {
  unlisted: 'not in the record',
  stale: 'stale in the record',
  count: 'other numbers of subtests than Chromium ran',
  record: 'wrong in the record',
  pass: 'unexpected passes',
  failure: 'unexpected failures',
};

/** The last thing that is printed: what somebody has to look at. */
export function printDisagreements(disagreements: readonly Disagreement[]): void {
  if (disagreements.length === 0) return console.log('as recorded in wpt/expectations');
  for (const [kind, title] of Object.entries(titles)) {
    const own = disagreements.filter((disagreement) => disagreement.kind === kind);
    if (own.length === 0) continue;
    console.log(`\n${own.length} ${title}`);
    let last = '';
    for (const { where, subtest, message } of own) {
      if (where !== last) console.log(`  ${where}`);
      last = where;
      console.log(subtest === null ? `      ${firstLine(message)}` : `    ${subtest}\n      ${firstLine(message)}`);
    }
  }
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? '';
}
