import fs from 'node:fs';
import path from 'node:path';
import { records } from '../expectations/index.ts';
import { commit } from '../fetch/upstream.ts';
import { projectRoot, UsageError } from '../project.ts';
import { appliesHere, describe, isScope, type Entry } from '../record/record.ts';
import { suites, type Suite } from '../runner/discover.ts';
import type { TestResult } from '../runner/result.ts';
import { runRecorded, type RunRequest } from '../runner/run-and-check.ts';
import { figureFor, readChromiumFigures, type ChromiumFigure } from './chromium.ts';
import { countOf } from './count.ts';
import { table } from './markdown.ts';

/** `npm run wpt:report`: runs everything and writes wpt/RESULTS.md. */
export async function writeReport(request: RunRequest): Promise<boolean> {
  if (request.paths.length > 0) throw new UsageError('The report is of a whole run: give no path');
  const { results } = await runRecorded(request);
  const figures = readChromiumFigures();
  const parts = [preamble(), summary(results, figures), exceptions(), ...suites.map((suite) => details(suite, results, figures)), leftOut()];
  fs.writeFileSync(path.join(projectRoot, 'wpt', 'RESULTS.md'), `${parts.join('\n\n')}\n`);
  console.log('wpt/RESULTS.md is written');
  return true;
}

function preamble(): string {
  return [
    '# Results of the web platform tests',
    '',
    `Written by \`npm run wpt:report\` from a run on Node ${process.versions.node}, ${process.platform}, with the tests of commit`,
    `${commit}. The realms use the built package with \`exposure: 'window'\` for window-like ones, \`'worker'\` for worker-like ones,`,
    '`events: true` and `structuredClone: true`, on a fresh root on the local disk. [README.md](README.md) says what the realms have beside that.',
    '',
    'Passed of total, where the total is of the subtests that need no document, frame, popup, picker or service worker. Chromium is version 156',
    'with the same tests; in brackets, where it differs, with its experimental features on.',
  ].join('\n');
}

/** Storage buckets are a standard of their own, so they are counted on their own. */
function partOf(file: string): string {
  return file.startsWith('storage/buckets/') ? 'storage/buckets' : (file.split('/')[0] ?? '');
}

function summary(results: readonly TestResult[], figures: readonly ChromiumFigure[]): string {
  const parts = [...new Set(figures.map(({ file }) => partOf(file)))].sort();
  const rows = parts.map((part) => {
    const server = figures.filter((figure) => figure.group === 'server' && partOf(figure.file) === part);
    const own = countOf(results.filter(({ test }) => partOf(test.file) === part && figureFor(figures, test)?.group === 'server'));
    const total = sum(server, 'total');
    const later = sum(server.filter(({ file }) => !isRun(file)), 'total');
    const notes = [later === 0 ? '' : `${later} in files that are not run`, outOfReach(total - later - own.total)];
    return [part, `${own.passed}`, chromium(sum(server, 'passed'), sum(server, 'experimental')), `${total}`, notes.filter((note) => note !== '').join(', ')];
  });
  const ours = countOf(results.filter(({ test }) => test.suite === 'ours'));
  rows.push(['ours', `${ours.passed}`, '', `${ours.total}`, 'see `npm run wpt:browser`']);
  return `## Suites\n\n${table(['suite', 'Holdfast', 'Chromium', 'of', ''], rows, [1, 2, 3])}\n\n${pagesTable(results, figures)}`;
}

/** Tests written for documents and windows, which run here with one client for each window. */
function pagesTable(results: readonly TestResult[], figures: readonly ChromiumFigure[]): string {
  const rows = suites.flatMap((suite) => {
    const own = results.filter(({ test }) => test.suite === suite && figureFor(figures, test)?.group === 'browser');
    if (own.length === 0) return [];
    const theirs = own.flatMap(({ test }) => figureFor(figures, test) ?? []);
    const { passed, total } = countOf(own);
    const all = sum(theirs, 'total');
    return [[suite, `${passed}`, chromium(sum(theirs, 'passed'), sum(theirs, 'experimental')), `${all}`, outOfReach(all - total)]];
  });
  return `Beyond these, tests with frames and popups that run with one client for each window:\n\n${table(['suite', 'Holdfast', 'Chromium', 'of', ''], rows, [1, 2, 3])}`;
}

function outOfReach(count: number): string {
  return count === 0 ? '' : `${count} out of a server's reach`;
}

function isRun(file: string): boolean {
  return suites.some((suite) => records[suite][file]?.run === true);
}

function sum(figures: readonly ChromiumFigure[], key: 'passed' | 'experimental' | 'total'): number {
  return figures.reduce((total, figure) => total + figure[key], 0);
}

function chromium(passed: number, experimental: number): string {
  return passed === experimental ? `${passed}` : `${passed} (${experimental})`;
}

/** Every subtest in reach that does not pass in each of the variants, and every harness that does not end well. */
function exceptions(): string {
  const rows = entries().flatMap(([file, entry]) => {
    if (!entry.run) return [];
    const harness = entry.harness === undefined ? [] : [[file, entry.harness.variants?.join(', ') ?? 'all', entry.harness.status, describe(entry.harness.reason), entry.harness.note]];
    const failing = (entry.except ?? []).filter((exception) => !isScope(exception.reason) && appliesHere(exception));
    return [...harness, ...failing.map(({ reason, note, subtests, variants }) => [file, variants?.join(', ') ?? 'all', `${subtests.length}`, describe(reason), note])];
  });
  return `## What does not pass, and why\n\n${table(['file', 'variants', 'subtests or harness', 'reason', 'note'], rows, [2])}`;
}

function details(suite: Suite, results: readonly TestResult[], figures: readonly ChromiumFigure[]): string {
  const rows = results
    .filter(({ test }) => test.suite === suite)
    .map((result) => {
      const { passed, total } = countOf([result]);
      const figure = figureFor(figures, result.test);
      const name = result.test.file.slice(suite.length + 1) + result.test.query;
      return [name, result.test.variant, `${passed}`, figure === undefined ? '' : chromium(figure.passed, figure.experimental), `${total}`];
    });
  return `## ${suite}\n\n${table(['file', 'variant', 'Holdfast', 'Chromium', 'of'], rows, [2, 3, 4])}`;
}

function leftOut(): string {
  const rows = entries().flatMap(([file, entry]) => (entry.run ? [] : [[file, describe(entry.reason), entry.note ?? '']]));
  return `## Files that are not run\n\n${table(['file', 'reason', 'note'], rows, [])}`;
}

function entries(): [string, Entry][] {
  return suites.flatMap((suite) => Object.entries(records[suite]));
}
