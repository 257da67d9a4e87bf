import fs from 'node:fs';
import path from 'node:path';
import { pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import { bucketsOf, keysOf } from '../../disk/root/origins.ts';
import type { Root } from '../../disk/root/root.ts';

/** How many files a bucket's file system has, by the names that are on the disk. */
export function fileCounter(root: Root, origin: string, index: number): number {
  const directory = bucketsOf(pathOfOrigin(root, origin), keysOf(root, origin))[index]?.path;
  if (directory === undefined) return 0;
  return directoriesOfFiles(directory).reduce((count, name) => count + countBelow(path.join(directory, name)), 0);
}

function directoriesOfFiles(bucket: string): string[] {
  return entriesOf(bucket).filter((entry) => entry.isDirectory() && /^files\.[0-9]+$/.test(entry.name)).map(({ name }) => name);
}

/** The spelling of a long name is a file beside it, and none of anybody's. */
function countBelow(directory: string): number {
  let count = 0;
  const waiting = [directory];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const entry of entriesOf(next)) {
      if (entry.isDirectory()) waiting.push(path.join(next, entry.name));
      else if (entry.isFile() && !entry.name.startsWith('%~')) count += 1;
    }
  }
  return count;
}

function entriesOf(directory: string): fs.Dirent[] {
  try {
    return fs.readdirSync(directory, { withFileTypes: true });
  } catch {
    return []; // It has gone meanwhile.
  }
}
