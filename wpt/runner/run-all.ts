import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Folders } from '../realm/config.ts';
import { Progress } from '../terminal.ts';
import type { Test } from './discover.ts';
import { TestServer } from './http-server.ts';
import { killRealms, runTest } from './realm-launcher.ts';
import type { TestResult } from './result.ts';

export interface RunAllOptions {
  readonly folders: Folders;
  readonly product: boolean;
  readonly encrypted?: boolean;
  /** Realms at once; by default one a core. */
  readonly jobs: number | null;
  readonly patience: number;
}

/** Runs tests side by side, and gives their results in the order of the tests. */
export async function runAll(tests: readonly Test[], options: RunAllOptions): Promise<TestResult[]> {
  removeLeftovers();
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), `${prefix}${process.pid}-`));
  const progress = new Progress('wpt');
  const testServer = new TestServer(options.folders);
  const server = await testServer.listen();
  const cleanUp = (): void => {
    killRealms();
    fs.rmSync(scratch, { recursive: true, force: true, maxRetries: 3 });
  };
  const interrupted = (): void => {
    progress.clear();
    cleanUp();
    process.exit(130);
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const results = new Map<Test, TestResult>();
    // The long ones first: the last realm to end decides how long the whole takes.
    const queue = [...tests].sort((left, right) => Number(right.timeout === 'long') - Number(left.timeout === 'long'));
    const work = async (): Promise<void> => {
      for (let test = queue.shift(); test !== undefined; test = queue.shift()) {
        results.set(test, await runTest(test, { ...options, scratch, server }));
        progress.part('running', results.size, tests.length, `${results.size} of ${tests.length} realms`);
      }
    };
    await Promise.all(Array.from({ length: options.jobs ?? os.availableParallelism() }, work));
    return tests.flatMap((test) => results.get(test) ?? []);
  } finally {
    progress.clear();
    testServer.close();
    cleanUp();
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}

const prefix = 'holdfast-wpt-';

/** The roots of runs that were killed before they could remove them. */
function removeLeftovers(): void {
  for (const name of fs.readdirSync(os.tmpdir())) {
    const pid = name.startsWith(prefix) ? Number.parseInt(name.slice(prefix.length), 10) : Number.NaN;
    if (pid > 0 && !isAlive(pid)) fs.rmSync(path.join(os.tmpdir(), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is alive too.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
