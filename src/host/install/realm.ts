import { isMainThread } from 'node:worker_threads';

/** Whether this realm is a worker's. Deno's web workers say that they are main threads; Bun's have no WorkerGlobalScope. */
export function isWorkerRealm(): boolean {
  return !isMainThread || 'WorkerGlobalScope' in globalThis;
}
