import type { HubServerOptions, RunningHub } from './server-options.ts';

/**
 * Serves an embedded hub from this process: what `npx holdfast hub` does, for tests, demonstrations, and programs that
 * bring their own. Resolves when it listens. It keeps the process alive until it is closed, and its work (each append is
 * a sync to the disk) takes turns with the process's own.
 *
 * @throws HoldfastError `bad-option`; `root-unusable` when the root has another hub, which is never replaced while it
 *   lives; `hub-unreachable` when it cannot listen there; `root-newer`, `root-read-only`, `disk-full`, `disk-failed`,
 *   `disk-unsupported`
 */
export async function startHub(options: HubServerOptions): Promise<RunningHub> {
  // Clients need no server.
  const { start } = await import('./server/start.ts');
  return await start(options);
}
