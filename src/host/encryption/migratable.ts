import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../../disk/journal/disk-error.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';

/** What of a bucket can be encrypted: these journals by their next compaction; the others say nothing of its content. */
const convertible = new Set(['local-storage', 'locks', 'quota', 'wake', 'persisted']);
/** What may be there as long as nothing is in it. */
const mayBeEmpty = /^(swap|trash|files\.\d+|channels|caches|indexeddb|register|buckets|coordinators)$/;

/** @throws HoldfastError `encryption-unsupported` where the origin has something that would stay as it is */
export function requireMigratable(directory: string, origin: string): void {
  for (const name of namesIn(directory)) {
    if (['origin.json', 'keys', 'default'].includes(name) || name.startsWith('.new-')) continue;
    requireEmpty(path.join(directory, name), name, origin);
  }
  const bucket = path.join(directory, 'default');
  for (const name of namesIn(bucket)) {
    if (!convertible.has(name) && !name.startsWith('.new-')) requireEmpty(path.join(bucket, name), name, origin);
  }
}

function requireEmpty(place: string, name: string, origin: string): void {
  // Names of directories would stay as they are.
  if (mayBeEmpty.test(name) && (name.startsWith('files.') ? namesIn(place).length === 0 : isEmpty(place))) return;
  throw new HoldfastError('encryption-unsupported', `${origin} has '${name}', which cannot be encrypted yet; nothing of it was changed.`);
}

/** Directories in which there are nothing but directories. */
function isEmpty(place: string): boolean {
  try {
    return fs.readdirSync(place, { withFileTypes: true }).every((entry) => entry.isDirectory() && isEmpty(path.join(place, entry.name)));
  } catch {
    return false;
  }
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
