import fs from 'node:fs';
import { isRefusedByRuntime } from './permission.ts';

// Calls on descriptors that Node refuses to everybody under `--permission`, whatever is allowed, because it cannot tell
// which path a descriptor is of. What a path can do instead is done; a sync it cannot, and is then left to the kernel.

/** Asks the disk to keep what a file or directory holds. Where the runtime refuses it, the moment is the kernel's. */
export function fsync(descriptor: number): void {
  unlessRefused(() => fs.fsyncSync(descriptor));
}

/** The same without what is not needed to read the content again, such as times. */
export function fdatasync(descriptor: number): void {
  unlessRefused(() => fs.fdatasyncSync(descriptor));
}

/** The same as {@link fsync}, in another thread. */
export function fsyncLater(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    // Node 20 to 26 throw a refusal instead of passing it on.
    unlessRefused(() => fs.fsync(descriptor, (error) => (error === null || isRefusedByRuntime(error) ? resolve() : reject(error))), resolve);
  });
}

/** The same as {@link fdatasync}, in another thread. */
export function fdatasyncLater(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    unlessRefused(() => fs.fdatasync(descriptor, (error) => (error === null || isRefusedByRuntime(error) ? resolve() : reject(error))), resolve);
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

function unlessRefused(call: () => void, instead: () => void = () => undefined): void {
  try {
    call();
  } catch (error) {
    if (!isRefusedByRuntime(error)) throw error;
    instead();
  }
}
