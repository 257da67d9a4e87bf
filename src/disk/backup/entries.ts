import fs from 'node:fs';
import { systemCode } from '../journal/disk-error.ts';

/** The names in a directory, in their order; none where there is none, or something else. @throws the operating system's error */
export function namesIn(directory: string): string[] {
  try {
    return isDirectoryAt(directory) ? fs.readdirSync(directory).sort() : [];
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Whether a directory, and no link to one, is at a path. */
export function isDirectoryAt(path: string): boolean {
  return fs.lstatSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
