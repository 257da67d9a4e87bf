import process from 'node:process';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import type { Commands } from './peer.ts';

// A realm that does what it is told, in a process or a worker thread of its own: the other side of `peer.ts`.

/** What it was started with. */
export function peerOptions<T>(): T {
  return (isMainThread ? JSON.parse(process.argv[2] ?? '{}') : workerData) as T;
}

/** Tells the test of an event. */
export function tell(message: object): void {
  const dated = { ...message, at: performance.timeOrigin + performance.now() };
  if (!isMainThread) parentPort?.postMessage(dated);
  else if (process.connected) process.send?.(dated);
}

interface Call {
  readonly call: number;
  readonly name: string;
  readonly args: never[];
}

async function answer(commands: Commands, { call, name, args }: Call): Promise<void> {
  try {
    const result: unknown = await commands[name]?.(...args);
    tell({ call, result });
  } catch (error) {
    tell({ call, error: error instanceof Error ? `${error.name}: ${error.message}` : String(error) });
  }
}

/** Does from now on what it is told. */
export function serve(commands: Commands): void {
  const onMessage = (message: unknown): void => void answer(commands, message as Call);
  if (isMainThread) process.on('message', onMessage);
  else parentPort?.on('message', onMessage);
  tell({ event: 'ready', id: 0, pid: process.pid });
}

/** Ends the part of this realm that keeps it alive on its own. */
export function disconnect(): void {
  setImmediate(() => (isMainThread ? process.disconnect() : parentPort?.close()));
}
