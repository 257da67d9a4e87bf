import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { CHOOSE_ANOTHER, systemCode } from './journal/disk-error.ts';

/** How often one directory is tried while others delete the one that it is in. */
const ATTEMPTS = 8;

/** Whether there is a directory. Whatever keeps from looking is met again, and told, by making it. */
export function isDirectory(directory: string): boolean {
  try {
    return fs.statSync(directory, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

/** Whether a symbolic link has the name of a directory of ours. What it leads to is somebody else's. */
export function isLink(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

/**
 * Makes a directory, for its owner only, unless it is there; with those above it where they are missing.
 *
 * One step at a time: where mkdir says ENOENT though the directory above is there (below /proc, on disks of serverless
 * platforms), the runtime's own recursive mkdir tries for ever.
 *
 * @throws HoldfastError root-read-only where the disk takes no new directory; else the operating system's error
 */
export function ensureDirectory(directory: string): void {
  if (isDirectory(directory)) return;
  for (let attempt = 1; ; attempt += 1) {
    const missing = make(directory);
    if (missing === null) return;
    const parent = path.dirname(directory);
    if (attempt === ATTEMPTS || parent === directory) throw takesNone(directory, missing);
    ensureDirectory(parent);
  }
}

/** Null when it is there; the error where the directory above is missing, or seems to be. */
function make(directory: string): unknown {
  try {
    fs.mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return error;
    // Another process may have been first.
    if (!isDirectory(directory)) throw error;
  }
  return null;
}

function takesNone(directory: string, cause: unknown): HoldfastError {
  const message = `Cannot make the directory ${directory}: the disk takes no new one in ${path.dirname(directory)}. ${CHOOSE_ANOTHER}`;
  return new HoldfastError('root-read-only', message, { cause });
}
