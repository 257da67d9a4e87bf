import fs from 'node:fs';
import { withDescriptor } from './descriptors.ts';
import { runtime } from './runtime.ts';
import { type Timer, clearTimeout, setTimeout } from './timers.ts';

/** Longer than Bun keeps back a report that follows another. */
const ECHO_MS = 20;

/**
 * Watches a file or directory without keeping the process alive. `onEvent` is a hint: something may have happened. It
 * may be called too often, but not too seldom.
 *
 * @throws the operating system's error, such as ENOENT or EMFILE.
 */
export function watchInBackground(path: string, onEvent: () => void, onError: (error: unknown) => void): fs.FSWatcher {
  const after = afterEvent[runtime]?.(onEvent);
  const watcher = withDescriptor(() =>
    fs.watch(path, { persistent: false }, () => {
      after?.(watcher);
      onEvent();
    }),
  );
  watcher.on('error', onError);
  // Deno does not heed `persistent`.
  watcher.unref();
  return watcher;
}

/** What a runtime's watcher needs after each event. */
const afterEvent: Partial<Record<typeof runtime, (onEvent: () => void) => (watcher: fs.FSWatcher) => void>> = {
  /** Deno's `unref` lasts until the next event; the wait for the one after begins soon after that. */
  deno: () => (watcher) => void setTimeout(() => watcher.unref(), 0),

  /**
   * Bun drops a report that comes within a millisecond or two of the one before, so the last of a burst could be
   * missed: there `onEvent` is called once more when the burst is over.
   */
  bun(onEvent) {
    let echo: Timer | undefined;
    return (watcher) => {
      if (echo === undefined) watcher.on('close', () => clearTimeout(echo));
      clearTimeout(echo);
      echo = setTimeout(onEvent, ECHO_MS).unref();
    };
  },
};
