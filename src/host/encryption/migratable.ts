import fs from 'node:fs';
import path from 'node:path';
import { needsKey } from '../../disk/encryption/traces.ts';
import { systemCode } from '../../disk/journal/disk-error.ts';
import { isEncrypted } from '../../disk/root/encrypted.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';

/** What there may be in an origin's directory. */
const ofOrigin = /^(origin\.json|keys|default|buckets|coordinators)$/;
/** What of a bucket can be encrypted, and what says nothing of its content. */
const ofBucket = /^(local-storage|locks|quota|wake|persisted|register|channels|caches|swap|trash|indexeddb|files-sync|files\.(\d+|fence-.*))$/;
const ofCoordinator = /^(turns|name|storage)$/;

/** Journals that each bucket has. */
const ofAllBuckets = ['local-storage', 'locks'];

/** @throws HoldfastError `encryption-unsupported` where the origin has something that would stay as it is; as {@link requireKeysThere} */
export function requireMigratable(directory: string, origin: string): void {
  requireKeysThere(directory, origin);
  requireKnown(directory, ofOrigin, origin);
  for (const bucket of bucketsIn(directory)) requireKnown(bucket, ofBucket, origin);
  for (const coordinator of placesIn(path.join(directory, 'coordinators')).flatMap(placesIn)) {
    requireKnown(coordinator, ofCoordinator, origin);
    requireKnown(path.join(coordinator, 'storage'), ofBucket, origin);
  }
}

/**
 * New keys would open nothing of an origin that has lost its own, and be in the place where those are to be put back.
 *
 * @throws HoldfastError `key-missing` where it has no file of keys, and is encrypted
 */
export function requireKeysThere(directory: string, origin: string): void {
  const journals = bucketsIn(directory).flatMap((bucket) => ofAllBuckets.flatMap((name) => placesIn(path.join(bucket, name))));
  if (!journals.some((file) => isFile(file) && needsKey(file)) || isEncrypted(directory)) return;
  throw new HoldfastError('key-missing', `${origin} is encrypted, and its file 'keys' is gone: restore it from a backup. Nothing was changed.`);
}

function isFile(file: string): boolean {
  return fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() === true;
}

function bucketsIn(directory: string): string[] {
  return [path.join(directory, 'default'), ...placesIn(path.join(directory, 'buckets'))];
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
