import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { StorageHost, type StorageHostOptions } from '../../src/index.ts';
import { HistoryLog } from './history.ts';
import { Random } from '../support/random.ts';
import { Recorder } from './recorder.ts';
import { CELLS, KEYS, ORIGINS, Workload } from './workload.ts';

// One thread of a process that works on a root until it is told to stop, or killed. The process has another such thread.

export interface ActorOptions {
  readonly root: string;
  readonly logs: string;
  /** The name of the process; its threads are `<name>m` and `<name>w`. */
  readonly name: string;
  readonly seed: number;
  readonly host?: Partial<StorageHostOptions>;
}

/** Operations that a thread does before it counts as working. */
const WARM_UP = 5;

const options = (isMainThread ? JSON.parse(process.argv[2] ?? '{}') : workerData) as ActorOptions;
const realm = `${options.name}${isMainThread ? 'm' : 'w'}`;
const recorder = new Recorder(realm, new HistoryLog(options.logs, realm));
const random = new Random(options.seed + (isMainThread ? 0 : 1));
const host = new StorageHost({ root: options.root, ...options.host });
const workloads = ORIGINS.map((origin) => new Workload(host.origin(origin), recorder, random));

let stopped = false;

async function workOnData(work: Workload): Promise<void> {
  const kind = random.next();
  if (kind < 0.3) work.getItem(random.pick(KEYS));
  else if (kind < 0.32) work.listItems();
  else if (kind < 0.6) work.changeStorage();
  else if (kind < 0.85) await work.changeFiles();
  else if (kind < 0.97) await work.useCell(random.pick(CELLS), true);
  else await work.shareCell(random.pick(CELLS));
}

async function until(isEnough: () => boolean, work: (workload: Workload) => Promise<void>): Promise<void> {
  while (!isEnough()) {
    await work(random.pick(workloads));
    await turn();
  }
}

const isStopped = (): boolean => stopped;

async function main(): Promise<void> {
  let count = 0;
  await until(() => stopped || ++count > WARM_UP, workOnData);
  tell('working');
  await Promise.all([until(isStopped, workOnData), until(isStopped, (work) => work.useLock())]);
  await host.close();
}

function tell(message: string): void {
  if (isMainThread) process.send?.(message);
  else parentPort?.postMessage(message);
}

/** The other thread of this process: it tells what this one tells, and is told what this one is told. */
function startThread(): Worker {
  const worker = new Worker(fileURLToPath(import.meta.url), { workerData: options });
  worker.on('message', tell);
  worker.on('error', (error) => {
    throw error;
  });
  return worker;
}

if (isMainThread) {
  const worker = startThread();
  const ended = once(worker, 'exit');
  process.on('message', () => {
    stopped = true;
    worker.postMessage('stop');
  });
  process.on('disconnect', () => process.exit());
  await main();
  await ended;
  process.removeAllListeners('disconnect');
  if (process.connected) process.disconnect();
} else {
  parentPort?.on('message', () => {
    stopped = true;
    parentPort?.close();
  });
  await main();
}
