import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { projectRoot } from '../project.ts';
import type { Folders, RealmConfig, Report, Subtest } from '../realm/config.ts';
import type { Test } from './discover.ts';
import { withDistinctNames, type TestResult } from './result.ts';

export interface LaunchOptions {
  readonly folders: Folders;
  /** Whether Holdfast is installed in the realms. */
  readonly product: boolean;
  /** Whether what it stores is encrypted; by default it is not. */
  readonly encrypted?: boolean;
  /** A folder for this run's roots; each realm's is removed when it ends. */
  readonly scratch: string;
  /** The origin of the tests' server. */
  readonly server: string;
  /** Multiplies the tests' own time-outs. */
  readonly patience: number;
}

const entry = path.join(projectRoot, '.cache', 'wpt', 'realm-process.mjs');

// The harness's own limits: https://web-platform-tests.org/writing-tests/testharness-api.html#harness-timeout
const limits = { normal: 10_000, long: 60_000 };
// A realm that cannot even say that its time is over is blocked; it gets this much more.
const grace = 5_000;
// On a busy machine a process can take long to start; that is not the test's time.
const startLimit = 60_000;

let launched = 0;

/** Runs one test in a process of its own, on a fresh root. Whatever the test does to its process is a result. */
export async function runTest(test: Test, options: LaunchOptions): Promise<TestResult> {
  const started = performance.now();
  const home = path.join(options.scratch, String(++launched));
  const root = path.join(home, 'root');
  fs.mkdirSync(home, { recursive: true });
  const timeout = limits[test.timeout] * options.patience;
  const config: RealmConfig = {
    kind: test.realm,
    page: test.variant === 'html' || test.variant === 'window',
    href: urlOf(test),
    scripts: test.scripts,
    title: test.title,
    processes: test.query === '?processes',
    peer: false,
    timeout,
    product: options.product,
    encrypted: options.encrypted ?? false,
    root,
    folders: options.folders,
    server: options.server,
  };
  const child = spawn(process.execPath, ['--expose-gc', entry, JSON.stringify(config)], {
    cwd: home,
    env: realmEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  running.add(child);
  try {
    const outcome = await watch(child, timeout + grace);
    return { ...outcome, test, subtests: withDistinctNames(outcome.subtests), milliseconds: performance.now() - started };
  } finally {
    running.delete(child);
    fs.rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
}

const running = new Set<ChildProcess>();

/** For a runner that is interrupted: no realm outlives it. */
export function killRealms(): void {
  for (const child of running) child.kill('SIGKILL');
}

type Outcome = Pick<TestResult, 'harness' | 'message' | 'subtests'>;

function watch(child: ChildProcess, limit: number): Promise<Outcome> {
  const subtests: Subtest[] = [];
  const output = new Tail(child);
  let outcome: Outcome | null = null;
  let late = false;
  const killAfter = (milliseconds: number): NodeJS.Timeout =>
    setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, milliseconds);
  let timer = killAfter(startLimit);
  child.on('message', (report: Report) => {
    if (report.type === 'started') {
      clearTimeout(timer);
      timer = killAfter(limit);
    } else if (report.type === 'subtest') subtests.push(report.subtest);
    // A crash reports no subtests of its own: those that ended before it stand.
    else outcome ??= { harness: report.harness, message: report.message, subtests: report.harness === 'CRASH' ? subtests : report.subtests };
  });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve({ harness: 'CRASH', message: error.message, subtests }));
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (outcome !== null) resolve(outcome);
      else if (late) resolve({ harness: 'TIMEOUT', message: `blocked for ${limit / 1000} s, so it was killed`, subtests });
      else resolve({ harness: 'CRASH', message: `ended by ${signal ?? `exit code ${code}`} before its tests were complete${output.text()}`, subtests });
    });
  });
}

/** The end of what a realm printed, for the message of a crash. */
class Tail {
  #text = '';

  constructor(child: ChildProcess) {
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#text = (this.#text + text).slice(-2_000)));
    }
  }

  text(): string {
    const trimmed = this.#text.trim();
    return trimmed === '' ? '' : `: ${trimmed}`;
  }
}

/** .https. files come from a secure origin, as on the tests' own server. */
function urlOf(test: Test): string {
  const origin = test.file.includes('.https.') || test.suite === 'ours' ? 'https://web-platform.test:8443' : 'http://web-platform.test:8000';
  // The server makes a page out of a script: /fs/a.any.js is seen at /fs/a.any.html, or .any.worker.js.
  const page = { any: '.html', 'any.worker': '.worker.js', window: '.html', worker: '.js', html: null }[test.variant];
  return origin + `/${page === null ? test.file : test.file.replace(/\.js$/, page)}${test.query}`;
}

function realmEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(HOLDFAST_|NODE_OPTIONS$|WPT_DIR$)/.test(name));
  return Object.fromEntries(kept);
}
