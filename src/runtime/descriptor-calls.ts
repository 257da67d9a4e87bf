import fs from 'node:fs';
import { isRefusedByRuntime } from './permission.ts';
import { warn } from './warning.ts';

// Calls on descriptors that Node refuses to everybody under `--permission`, whatever is allowed, because it cannot tell
// which path a descriptor is of. What a path can do instead is done; a sync it cannot, and is then left to the kernel.

/**
 * Asks the disk to keep what a file or directory holds. Where the runtime refuses it, the moment is the kernel's, and a
 * warning says so. `path` is where it is.
 */
export function fsync(descriptor: number, path: string): void {
  unlessRefused(
    () => fs.fsyncSync(descriptor),
    () => tellRefusal(path),
  );
}

/** The same without what is not needed to read the content again, such as times. */
export function fdatasync(descriptor: number, path: string): void {
  unlessRefused(
    () => fs.fdatasyncSync(descriptor),
    () => tellRefusal(path),
  );
}

let isTold = false;

/** Once in a realm, for a runtime that refuses one sync refuses all. */
export function tellRefusal(path: string): void {
  if (isTold) return;
  isTold = true;
  const message = 'The runtime refuses every fsync: a power failure may lose what was acknowledged.';
  warn({ code: 'sync-refused', message, path });
}

/** `instead` is done where the runtime refuses the call. */
export function unlessRefused(call: () => void, instead: () => void): void {
  try {
    call();
  } catch (error) {
    if (!isRefusedByRuntime(error)) throw error;
    instead();
  }
}
