import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../../disk/journal/disk-error.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';

/** What there may be in an origin's directory. */
const ofOrigin = /^(origin\.json|keys|default|buckets|coordinators)$/;
/** What of a bucket can be encrypted, and what says nothing of its content. */
const ofBucket = /^(local-storage|locks|quota|wake|persisted|register|channels|caches|swap|trash|indexeddb|files\.(\d+|fence-.*))$/;
const ofCoordinator = /^(turns|name|storage)$/;

/** @throws HoldfastError `encryption-unsupported` where the origin has something that would stay as it is */
export function requireMigratable(directory: string, origin: string): void {
  requireKnown(directory, ofOrigin, origin);
  for (const bucket of [path.join(directory, 'default'), ...placesIn(path.join(directory, 'buckets'))]) requireKnown(bucket, ofBucket, origin);
  for (const coordinator of placesIn(path.join(directory, 'coordinators')).flatMap(placesIn)) {
    requireKnown(coordinator, ofCoordinator, origin);
    requireKnown(path.join(coordinator, 'storage'), ofBucket, origin);
  }
}

function requireKnown(directory: string, known: RegExp, origin: string): void {
  const other = namesIn(directory).find((name) => !known.test(name) && !name.startsWith('.new-'));
  if (other !== undefined) throw new HoldfastError('encryption-unsupported', `${origin} has '${other}', which cannot be encrypted yet; nothing of it was changed.`);
}

function placesIn(directory: string): string[] {
  return namesIn(directory).map((name) => path.join(directory, name));
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    // What is no directory of ours is met again by whoever uses it.
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return [];
    throw error;
  }
}
