import fs from 'node:fs';
import timers from 'node:timers';
import { runtime } from './runtime.ts';

/**
 * Watches a file or directory without keeping the process alive. `onEvent` is a hint: something may have happened.
 *
 * @throws the operating system's error, such as ENOENT or EMFILE.
 */
export function watchInBackground(path: string, onEvent: () => void, onError: (error: unknown) => void): fs.FSWatcher {
  const watcher = fs.watch(path, { persistent: false }, () => {
    if (runtime === 'deno') letGoAgain(watcher);
    onEvent();
  });
  watcher.on('error', onError);
  // Deno does not heed `persistent`.
  watcher.unref();
  return watcher;
}

/** Deno's `unref` lasts until the next event; the wait for the one after begins soon after that. */
function letGoAgain(watcher: fs.FSWatcher): void {
  timers.setTimeout(() => watcher.unref(), 0);
}
