import fs from 'node:fs';
import path from 'node:path';
import { fsync } from '../../runtime/descriptor-calls.ts';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { systemCode } from '../journal/disk-error.ts';

/** `strict` syncs to the disk before a write counts as done; `relaxed` leaves the moment to the kernel. */
export type Durability = 'relaxed' | 'strict';

/** Asks the disk to keep what a file, or the list of names in a directory, holds now. */
export function syncPath(target: string): void {
  // Windows has no descriptors of directories; its file system logs names by itself.
  if (process.platform === 'win32') return;
  const descriptor = withDescriptor(() => fs.openSync(target, 'r'));
  try {
    fsync(descriptor, target);
  } finally {
    fs.closeSync(descriptor);
  }
}

function entriesOf(directory: string): fs.Dirent[] {
  return withDescriptor(() => fs.readdirSync(directory, { withFileTypes: true }));
}

/** What others remove meanwhile needs no sync. */
function unlessGone(sync: (target: string) => void, target: string): void {
  try {
    sync(target);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** Syncs a small tree, files before the directories that name them. */
export function syncTree(directory: string): void {
  for (const entry of entriesOf(directory)) {
    const child = path.join(directory, entry.name);
    if (entry.isDirectory()) unlessGone(syncTree, child);
    else if (entry.isFile()) unlessGone(syncPath, child);
  }
  syncPath(directory);
}

/**
 * Syncs a directory that another process may have made a moment ago, without looking into its contents: its
 * directories, itself, and every directory above it, because nobody knows how many of them are new. Drafts and locks
 * come and go in it meanwhile.
 */
export function syncPlace(directory: string): void {
  for (const entry of entriesOf(directory)) {
    if (entry.isDirectory()) unlessGone(syncPath, path.join(directory, entry.name));
  }
  for (let at = directory; ; at = path.dirname(at)) {
    try {
      syncPath(at);
    } catch (error) {
      // Directories that this process may not open were not made by it or by its like: they are the system's own.
      if (!['EACCES', 'EPERM', 'EROFS', 'EINVAL'].includes(systemCode(error))) throw error;
    }
    if (at === path.dirname(at)) return;
  }
}
