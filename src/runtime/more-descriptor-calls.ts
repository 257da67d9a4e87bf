import fs from 'node:fs';
import { tellRefusal, unlessRefused } from './descriptor-calls.ts';
import { isRefusedByRuntime } from './permission.ts';

// The rest of descriptor-calls.ts, which only code needs that is loaded later.

/** The same as `fsync`, in another thread. */
export function fsyncLater(descriptor: number, path: string): Promise<void> {
  return later((ended) => fs.fsync(descriptor, ended), path);
}

/** The same as `fdatasync`, in another thread. */
export function fdatasyncLater(descriptor: number, path: string): Promise<void> {
  return later((ended) => fs.fdatasync(descriptor, ended), path);
}

function later(sync: (ended: (error: Error | null) => void) => void, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const refused = (): void => {
      tellRefusal(path);
      resolve();
    };
    const ended = (error: Error | null): void => {
      if (error === null) resolve();
      else if (isRefusedByRuntime(error)) refused();
      else reject(error);
    };
    // Node 20 to 26 throw a refusal instead of passing it on.
    unlessRefused(() => sync(ended), refused);
  });
}

/** `path` is where the open file is, in a directory of ours. */
export function setMode(descriptor: number, path: string, mode: number): void {
  unlessRefused(
    () => fs.fchmodSync(descriptor, mode),
    () => fs.chmodSync(path, mode),
  );
}

/** Sets the times of last access and modification, in seconds. `path` as in {@link setMode}. */
export function setTimes(descriptor: number, path: string, seconds: number): void {
  unlessRefused(
    () => fs.futimesSync(descriptor, seconds, seconds),
    () => fs.utimesSync(path, seconds, seconds),
  );
}
