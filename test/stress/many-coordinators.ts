import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import '../../src/host/transaction/provided.ts';
import { AlarmIndex } from '../../src/disk/coordinator/alarm-index.ts';
import { Root } from '../../src/disk/root/root.ts';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import { coordinationOf } from '../../src/host/coordinator/coordinators.ts';
import { StorageHost } from '../../src/host/storage-host.ts';

const ORIGIN = 'https://many.example';

/** Coordinators that are called at once, and that are in memory in the end. */
const AT_ONCE = 250;
const LIVE = 5000;

class Reminder extends Coordinator {
  wake(time: number): void {
    this.localStorage.setItem('n', this.state.name);
    this.state.setAlarm(time);
  }

  named(): string | null {
    return this.localStorage.getItem('n');
  }

  override alarm(): void {
    // In another decade.
  }
}

export interface ManyTally {
  /** Coordinators in memory in the end, and what each of them takes of it, in bytes. */
  readonly live: number;
  readonly memory: number;
  /** Of each on disk: bytes of blocks, and inodes. */
  readonly disk: number;
  readonly inodes: number;
  /** Time in which the index of all alarms is read, in milliseconds, and how many it has. */
  readonly load: number;
  readonly alarms: number;
}

/** So many coordinators, each with an item and an alarm: what they take on disk, and thousands of them in memory. */
export async function manyCoordinators({ count, onProgress }: { count: number; onProgress: (done: number) => void }): Promise<ManyTally> {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-many-'));
  const root = path.join(directory, 'root');
  const host = new StorageHost({ root });
  const time = Date.now() + 3e11;
  await served(host, async (coordinators) => {
    for (let from = 0; from < count; from += AT_ONCE) {
      await setAll(coordinators, from, Math.min(count, from + AT_ONCE), time);
      onProgress(from + AT_ONCE);
    }
  });
  const tally = { ...(await served(host, (coordinators) => wakeSome(coordinators, Math.min(count, LIVE)))), ...sizeOf(path.join(root, 'origins'), count), ...load(root) };
  await host.close();
  fs.rmSync(directory, { recursive: true, force: true });
  return tally;
}

async function served<Result>(host: StorageHost, body: (coordinators: Coordinators) => Promise<Result>): Promise<Result> {
  const coordinators = new Coordinators(host, { Reminder });
  const result = await body(coordinators);
  await coordinators.close();
  return result;
}

/** Those that are there already: what they take while they rest. */
async function wakeSome(coordinators: Coordinators, count: number): Promise<Pick<ManyTally, 'live' | 'memory'>> {
  await coordinators.get(ORIGIN, Reminder, 'reminder-0').named();
  const before = heap();
  for (let from = 0; from < count; from += AT_ONCE) await Promise.all(Array.from({ length: AT_ONCE }, (_, n) => coordinators.get(ORIGIN, Reminder, `reminder-${from + n}`).named()));
  const live = [...(coordinationOf.get(coordinators)?.coordination.instances() ?? [])].length;
  const memory = (heap() - before) / live;
  return { live, memory };
}

async function setAll(coordinators: Coordinators, from: number, to: number, time: number): Promise<void> {
  await Promise.all(Array.from({ length: to - from }, (_, n) => coordinators.get(ORIGIN, Reminder, `reminder-${from + n}`).wake(time - from - n)));
}

/** Bytes in use, once all garbage is gone. */
function heap(): number {
  v8.setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Of each: the directory of the class counts too, and does not matter. */
function sizeOf(directory: string, count: number): { disk: number; inodes: number } {
  const all = fs.readdirSync(directory, { recursive: true, withFileTypes: true }).filter(({ parentPath }) => parentPath.includes('coordinators'));
  const blocks = all.reduce((sum, { parentPath, name }) => sum + fs.lstatSync(path.join(parentPath, name)).blocks, 0);
  return { disk: (512 * blocks) / count, inodes: all.length / count };
}

function load(directory: string): { load: number; alarms: number } {
  const index = new AlarmIndex(new Root(directory, 'relaxed'));
  const start = performance.now();
  index.look();
  const took = performance.now() - start;
  const { size } = index;
  index.close();
  return { load: took, alarms: size };
}
