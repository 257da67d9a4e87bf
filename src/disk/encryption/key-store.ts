import fs from 'node:fs';
import path from 'node:path';
import { fsync } from '../../runtime/descriptor-calls.ts';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { randomUuid } from '../../runtime/random.ts';
import { closeQuietly } from '../journal/generation-file.ts';
import { syncDirectory } from '../journal/sync-directory.ts';
import { diskError, systemCode } from '../journal/disk-error.ts';
import { KEYS } from '../root/origin-vault.ts';
import { MOST_BYTES } from './key-file.ts';

/*
 * Invariants
 * - The file of an origin's keys is there whole or not at all, and on the disk before anything is encrypted with them:
 *   without it all of the origin is lost.
 * - One that is there is replaced only by who has opened it, and as long as it is the one that was opened.
 */

/** Also where the root, or a directory on the way, is a file: whoever opens the root says so better. */
function isAbsent(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR'].includes(systemCode(error));
}

/** Tells one state of a file from another; null: there is none. */
export function stampOf(directory: string): string | null {
  try {
    const stats = fs.lstatSync(path.join(directory, KEYS), { throwIfNoEntry: false });
    return stats === undefined ? null : `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeMs}:${stats.ctimeMs}`;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw diskError(error, 'read the keys in', directory);
  }
}

/** The bytes, or one more than a file of keys may have; null: there is none. @throws HoldfastError */
export function readKeys(directory: string): Uint8Array | null {
  const file = path.join(directory, KEYS);
  try {
    if (!fs.lstatSync(file).isFile()) return new Uint8Array(0);
    const descriptor = withDescriptor(() => fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0)));
    try {
      const bytes = new Uint8Array(MOST_BYTES + 1);
      return bytes.subarray(0, fs.readSync(descriptor, bytes, 0, bytes.length, 0));
    } finally {
      closeQuietly(descriptor);
    }
  } catch (error) {
    if (isAbsent(error)) return null;
    throw diskError(error, 'read the keys in', directory);
  }
}

/** Writes the keys of an origin that nobody else sees yet. @throws HoldfastError */
export function writeKeys(directory: string, bytes: Uint8Array): void {
  writeSynced(path.join(directory, KEYS), bytes);
  syncDirectory(directory);
}

/** Gives an origin that is there its keys; false: somebody else was first. @throws HoldfastError */
export function addKeys(directory: string, workshop: string, bytes: Uint8Array): boolean {
  return throughDraft(directory, workshop, bytes, (draft, file) => {
    try {
      fs.linkSync(draft, file);
    } catch (error) {
      if (systemCode(error) === 'EEXIST') return false;
      throw error;
    }
    return true;
  });
}

/**
 * To be called by one at a time, under the lock of the root's maintenance. Killed at any time it leaves the file that was
 * there or the new one, each whole.
 *
 * @param stamp - of the file that was opened. Whoever was paused until the lock was anybody's must not undo what others did
 * @returns false: there is another one now
 * @throws HoldfastError
 */
export function replaceKeys(directory: string, workshop: string, stamp: string, bytes: Uint8Array): boolean {
  return throughDraft(directory, workshop, bytes, (draft, file) => {
    if (stampOf(directory) !== stamp) return false;
    fs.renameSync(draft, file);
    return true;
  });
}

function throughDraft(directory: string, workshop: string, bytes: Uint8Array, place: (draft: string, file: string) => boolean): boolean {
  const draft = path.join(workshop, randomUuid());
  try {
    writeSynced(draft, bytes);
    const isOurs = place(draft, path.join(directory, KEYS));
    syncDirectory(directory);
    return isOurs;
  } catch (error) {
    throw diskError(error, 'write the keys in', directory);
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function writeSynced(file: string, bytes: Uint8Array): void {
  try {
    const descriptor = withDescriptor(() => fs.openSync(file, 'wx', 0o600));
    try {
      for (let at = 0; at < bytes.length; ) at += fs.writeSync(descriptor, bytes, at);
      fsync(descriptor, file);
    } finally {
      closeQuietly(descriptor);
    }
  } catch (error) {
    throw diskError(error, 'write the keys', file);
  }
}
