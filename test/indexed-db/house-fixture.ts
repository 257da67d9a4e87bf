import process from 'node:process';
import { Worker } from 'node:worker_threads';
import type { ClerkOptions } from './clerk-fixture.ts';

// A process in which clerks work, each in a thread of its own.

export interface HouseCall {
  readonly name: 'start' | 'stop' | 'kill';
  readonly id: number;
  readonly options?: ClerkOptions;
}

const [, , clerk = ''] = process.argv;
const workers = new Map<number, Worker>();

function start(id: number, workerData: ClerkOptions | undefined): void {
  const worker = new Worker(clerk, { workerData });
  workers.set(id, worker);
  worker.on('message', (message: object) => process.send?.({ id, ...message }));
  worker.on('error', (error) => process.send?.({ id, wrong: String(error) }));
  worker.on('exit', () => process.send?.({ id, ended: true }));
}

process.on('message', ({ name, id, options }: HouseCall) => {
  if (name === 'start') start(id, options);
  else if (name === 'stop') workers.get(id)?.postMessage('stop');
  else void workers.get(id)?.terminate();
});
