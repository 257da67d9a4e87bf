import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../journal/disk-error.ts';
import { syncPath } from './durable.ts';

/**
 * Asks the disk to keep the names in all directories of a tree; what is in its files was synced before. What others remove
 * meanwhile needs no sync.
 */
export function syncDirectories(directory: string): void {
  try {
    for (const entry of fs.readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) syncDirectories(path.join(directory, entry.name));
    syncPath(directory);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
