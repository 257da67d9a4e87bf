import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { diskError, systemCode } from '../journal/disk-error.ts';
import { syncDirectory } from '../journal/sync-directory.ts';
import { KEYS } from './origin-vault.ts';

/** The first step of deleting an origin: without its keys all else of it is noise. Whether there were any. @throws HoldfastError */
export function destroyKeys(directory: string): boolean {
  try {
    fs.unlinkSync(path.join(directory, KEYS));
    syncDirectory(directory);
    return true;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw diskError(error, 'delete the keys in', directory);
  }
}

/** Whether an origin's directory has keys. */
export function isEncrypted(directory: string): boolean {
  return fs.lstatSync(path.join(directory, KEYS), { throwIfNoEntry: false }) !== undefined;
}

/** For what would copy or replace an origin as if it were plain. @throws HoldfastError encryption-unsupported */
export function requireNotEncrypted(directory: string, origin: string): void {
  if (!isEncrypted(directory)) return;
  throw new HoldfastError('encryption-unsupported', `${origin} is encrypted: it cannot be backed up, exported, imported or replaced yet.`);
}
