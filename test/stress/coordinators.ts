import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import '../../src/host/transaction/provided.ts';
import { chaos } from '../coordinator/chaos.ts';
import type { Tally } from '../coordinator/chaos.ts';
import { openDeployment } from '../coordinator/servers.ts';

/** Callers, and how long each rests between two calls at most, in milliseconds: the processes are to be killed amid calls, not to be busy. */
const CALLERS = 12;
const REST_MS = 30;

/** Calls of coordinators in three processes that are killed, paused, closed and left without room, for so many seconds. */
export async function coordinatorsChaos({ seconds, seed, onRound }: { seconds: number; seed: number; onRound: (tally: Tally) => void }): Promise<Tally & { readonly directory: string | null }> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-coordinators-'));
  const deployment = await openDeployment(path.join(directory, 'root'), 3);
  const tally = await chaos(deployment, { milliseconds: 1000 * seconds, callers: CALLERS, rest: REST_MS, seed, onRound });
  await deployment.close();
  if (tally.violations.length > 0) return { ...tally, directory };
  fs.rmSync(directory, { recursive: true, force: true });
  return { ...tally, directory: null };
}
