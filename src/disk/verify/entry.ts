import fs from 'node:fs';
import { systemCode } from '../journal/disk-error.ts';

/** What is at a path; a link is something else. @throws the operating system's error */
export function kindOf(path: string): 'nothing' | 'file' | 'directory' | 'other' {
  const stats = fs.lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return 'nothing';
  if (stats.isFile()) return 'file';
  return stats.isDirectory() ? 'directory' : 'other';
}

/** The names in a directory, in their order; none where it is gone. @throws the operating system's error */
export function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory).sort();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
