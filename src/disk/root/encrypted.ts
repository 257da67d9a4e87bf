import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { diskError, systemCode } from '../journal/disk-error.ts';
import { syncDirectory } from '../journal/sync-directory.ts';
import { KEYS, type OriginVault } from './origin-vault.ts';
import type { Root } from './root.ts';

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

/**
 * The keys of an origin that may be encrypted, for who is about to do something with the whole of it; undefined where it
 * is not.
 *
 * @param why - what they are needed for, as the end of a sentence
 * @throws HoldfastError key-missing where no key was given; key-wrong, key-pending, keys-damaged
 */
export async function unlockedVault(root: Pick<Root, 'vaults'>, directory: string, origin: string, why: string): Promise<OriginVault | undefined> {
  if (!isEncrypted(directory)) return undefined;
  const vault = root.vaults?.of(origin);
  if (vault === undefined) throw new HoldfastError('key-missing', `${origin} is encrypted, and no key was given, without which ${why}.`);
  await vault.prepare();
  vault.require(true);
  return vault;
}
