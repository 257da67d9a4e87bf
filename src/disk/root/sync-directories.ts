import fs from 'node:fs';
import path from 'node:path';
import { syncPath } from './durable.ts';

/** Asks the disk to keep the names in all directories of a tree that nobody changes; its files were synced before. */
export function syncDirectories(directory: string): void {
  for (const entry of fs.readdirSync(directory, { withFileTypes: true })) if (entry.isDirectory()) syncDirectories(path.join(directory, entry.name));
  syncPath(directory);
}
