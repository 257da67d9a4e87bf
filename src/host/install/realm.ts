/**
 * Whether this realm is a worker's. Deno's web workers say that they are main threads; Bun's have no WorkerGlobalScope.
 * Only who installs asks, so `node:worker_threads` is not loaded at the start of every program.
 */
export function isWorkerRealm(): boolean {
  return !process.getBuiltinModule('node:worker_threads').isMainThread || 'WorkerGlobalScope' in globalThis;
}
