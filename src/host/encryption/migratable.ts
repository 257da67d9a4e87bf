import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../../disk/journal/disk-error.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';

/** What of a bucket can be encrypted, and what says nothing of its content. */
const convertible = /^(local-storage|locks|quota|wake|persisted|register|channels|caches|swap|trash|indexeddb|files\.(\d+|fence-.*))$/;
/** What may be there as long as nothing is in it. */
const mayBeEmpty = /^coordinators$/;

/** @throws HoldfastError `encryption-unsupported` where the origin has something that would stay as it is */
export function requireMigratable(directory: string, origin: string): void {
  const buckets = path.join(directory, 'buckets');
  for (const name of namesIn(directory)) {
    if (!['origin.json', 'keys', 'default', 'buckets'].includes(name)) requireEmpty(path.join(directory, name), name, origin);
  }
  for (const bucket of [path.join(directory, 'default'), ...namesIn(buckets).map((id) => path.join(buckets, id))]) {
    for (const name of namesIn(bucket)) if (!convertible.test(name)) requireEmpty(path.join(bucket, name), name, origin);
  }
}

function requireEmpty(place: string, name: string, origin: string): void {
  if (name.startsWith('.new-') || (mayBeEmpty.test(name) && isEmpty(place))) return;
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
