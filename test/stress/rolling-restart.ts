import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import '../../src/host/transaction/provided.ts';
import { openDeployment } from '../coordinator/servers.ts';
import type { Deployment } from '../coordinator/servers.ts';

/** Processes, coordinators, and callers that rest between two calls for so many milliseconds at most. */
const SERVERS = 4;
const COORDINATORS = 8;
const CALLERS = 16;
const REST_MS = 10;

/** What came of a rolling restart. */
export interface RestartTally {
  calls: number;
  restarts: number;
  /** Of single calls, in milliseconds. */
  longest: number;
  /** Calls that failed, and results that are not what they should be. */
  readonly wrong: string[];
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const names = Array.from({ length: COORDINATORS }, (_, n) => `register-${n}`);

/** One of four processes after another is told to end, and replaced, while all of them are called: no call may fail. */
export async function rollingRestart({ seconds, onRestart = () => undefined }: { seconds: number; onRestart?: (tally: RestartTally) => void }): Promise<RestartTally> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-restart-'));
  const deployment = await openDeployment(path.join(directory, 'root'), SERVERS);
  const tally: RestartTally = { calls: 0, restarts: 0, longest: 0, wrong: [] };
  const end = Date.now() + 1000 * seconds;
  const callers = Array.from({ length: CALLERS }, (_, n) => callUntil(deployment, n, end, tally));
  while (Date.now() < end) {
    await restartOldest(deployment);
    tally.restarts += 1;
    onRestart(tally);
  }
  await Promise.all(callers);
  await check(deployment, tally);
  await deployment.close();
  fs.rmSync(directory, { recursive: true, force: true });
  return tally;
}

async function callUntil({ stub }: Deployment, caller: number, end: number, tally: RestartTally): Promise<void> {
  for (let n = caller; Date.now() < end; n++) {
    const start = performance.now();
    await stub(names[n % COORDINATORS] ?? '')
      .counted()
      .then(
        () => (tally.calls += 1),
        (error: unknown) => tally.wrong.push(`a call failed: ${String(error)}`),
      );
    tally.longest = Math.max(tally.longest, performance.now() - start);
    await later(Math.random() * REST_MS);
  }
}

/** The new one serves before the old one is told. */
async function restartOldest(deployment: Deployment): Promise<void> {
  await deployment.add();
  const [oldest] = deployment.servers.splice(0, 1);
  if (oldest === undefined) return;
  oldest.kill('SIGTERM');
  if (oldest.exitCode === null) await once(oldest, 'exit');
}

async function check({ stub }: Deployment, { calls, wrong }: RestartTally): Promise<void> {
  const totals = await Promise.all(names.map((name) => stub(name).read()));
  const sum = totals.reduce((all, total) => all + total, 0);
  if (sum !== calls) wrong.push(`${calls} calls have counted ${sum}`);
  for (const name of names) {
    for (const [call, runs] of Object.entries(await stub(name).runs())) if (runs !== 1) wrong.push(`call ${call} of ${name} has run ${runs} times`);
  }
}
