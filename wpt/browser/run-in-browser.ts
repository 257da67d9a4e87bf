import fs from 'node:fs';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { chromiumExceptions } from '../expectations/ours-in-chromium.ts';
import { requireTests } from '../fetch/fetch.ts';
import { oursPath, projectRoot, UsageError } from '../project.ts';
import type { HarnessStatus, SubtestStatus } from '../realm/config.ts';
import { checkResults, type Disagreement } from '../record/gate.ts';
import { printDisagreements, printSubtests } from '../report/print.ts';
import { findFiles, testsOf, type Test } from '../runner/discover.ts';
import { withDistinctNames, type TestResult } from '../runner/result.ts';
import type { RunRequest } from '../runner/run-and-check.ts';
import { Progress } from '../terminal.ts';
import { TestServer } from './server.ts';

const limits = { normal: 10_000, long: 60_000 };

/**
 * `npm run wpt:browser`: runs our own tests, unchanged, in headless Chromium. What it fails is either our
 * misunderstanding or its bug; ours-in-chromium.ts says which.
 */
export async function runInBrowser({ paths, patience }: RunRequest): Promise<boolean> {
  const folders = { checkout: await requireTests(), ours: oursPath, examples: path.join(projectRoot, 'examples') };
  const executablePath = findChromium();
  if (executablePath === null) {
    console.log('wpt:browser is skipped: there is no chromium here (Debian has it as the package chromium)');
    return true;
  }
  const tests = findFiles(folders, 'ours')
    .filter((file) => paths.length === 0 || paths.some((prefix) => file.startsWith(prefix)))
    .flatMap((file) => testsOf(folders, 'ours', file));
  if (tests.length === 0) throw new UsageError(`No test file begins with '${paths[0] ?? ''}'`);
  const server = new TestServer(folders);
  await server.start();
  const browser = await chromium.launch({ executablePath, args: [...sandbox(), '--js-flags=--expose-gc'] });
  try {
    const results = await runEach(tests, browser, server, patience);
    if (paths.length > 0) printSubtests(results);
    return check(results, browser.version());
  } finally {
    await browser.close();
    server.stop();
  }
}

function findChromium(): string | null {
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const files = ['chromium', 'chromium-browser', 'google-chrome'].flatMap((name) => folders.map((folder) => path.join(folder, name)));
  return files.find((file) => fs.existsSync(file)) ?? null;
}

/** Chromium's sandbox does not work for root, as whom machines of a CI often run. */
function sandbox(): string[] {
  return process.getuid?.() === 0 ? ['--no-sandbox'] : [];
}

async function runEach(tests: readonly Test[], browser: Browser, server: TestServer, patience: number): Promise<TestResult[]> {
  const progress = new Progress('wpt:browser');
  const results: TestResult[] = [];
  for (const test of tests) {
    progress.part('running', results.length, tests.length, test.file);
    results.push(await runPage(test, browser, server.urlOf(test), limits[test.timeout] * patience));
  }
  progress.clear();
  return results;
}

interface Finished {
  readonly status: { readonly status: number; readonly message: string | null };
  readonly tests: readonly { readonly name: string; readonly status: number; readonly message: string | null }[];
}

const subtestStatus: readonly SubtestStatus[] = ['PASS', 'FAIL', 'TIMEOUT', 'NOTRUN', 'PRECONDITION_FAILED'];
const harnessStatus: readonly HarnessStatus[] = ['OK', 'ERROR', 'TIMEOUT', 'PRECONDITION_FAILED'];

/** Each test gets a browser context, and with it storage, of its own. */
async function runPage(test: Test, browser: Browser, url: string, timeout: number): Promise<TestResult> {
  const started = performance.now();
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(url);
    const handle = await page.waitForFunction('self.finished', undefined, { timeout });
    const { status, tests } = (await handle.jsonValue()) as Finished;
    const subtests = tests.map(({ name, status: code, message }) => ({ name, status: subtestStatus[code] ?? ('FAIL' as const), message }));
    return { test, harness: harnessStatus[status.status] ?? 'ERROR', message: status.message, subtests: withDistinctNames(subtests), milliseconds: performance.now() - started };
  } catch (error) {
    return { test, harness: 'TIMEOUT', message: (error as Error).message, subtests: [], milliseconds: performance.now() - started };
  } finally {
    await context.close();
  }
}

function check(results: readonly TestResult[], version: string): boolean {
  const files = [...new Set(results.map(({ test }) => test.file))];
  const disagreements: Disagreement[] = files.flatMap((file) => checkResults(chromiumExceptions[file] ?? { run: true }, results.filter(({ test }) => test.file === file)));
  const all = results.flatMap(({ subtests }) => subtests);
  console.log(`ours in Chromium ${version}: ${all.filter(({ status }) => status === 'PASS').length} of ${all.length} subtests`);
  printDisagreements(disagreements);
  return disagreements.length === 0;
}
