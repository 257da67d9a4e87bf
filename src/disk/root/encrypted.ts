import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { diskError, systemCode } from '../journal/disk-error.ts';
import { syncDirectory } from '../journal/sync-directory.ts';
import { FLAGS, IDENTIFIER, STORED } from './key-file-head.ts';
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

/** Whether what opens the keys in an origin's directory is in a store, elsewhere than in the root. */
export function isKeyStored(directory: string): boolean {
  const head = headOf(path.join(directory, KEYS));
  return head !== null && head.toString('latin1', 0, IDENTIFIER.length) === IDENTIFIER && (head.readUInt32LE(FLAGS) & STORED) !== 0;
}

/** Null: there is none, or no whole one. */
function headOf(file: string): Buffer | null {
  if (fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return null;
  const head = Buffer.alloc(FLAGS + 4);
  const descriptor = withDescriptor(() => fs.openSync(file, 'r'));
  try {
    return fs.readSync(descriptor, head, 0, head.length, 0) === head.length ? head : null;
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * Destroys what opens the keys of an origin where that is elsewhere than in the root: then its copies are noise as well.
 *
 * @throws HoldfastError key-missing where no store was given, or it fails; key-pending, key-wrong, keys-damaged
 */
export async function destroyElsewhere({ vaults }: Pick<Root, 'vaults'>, directory: string, origin: string): Promise<void> {
  if (!isKeyStored(directory)) return;
  if (vaults === undefined) throw new HoldfastError('key-missing', `The key of ${origin} is in a store, which was not given, and is to be deleted there first: a host with the option 'encryption.store', or a command with --keys, deletes the origin.`);
  await vaults.of(origin).destroy();
}

/**
 * To be called before a directory gets the place of an origin. A key that is in a store has to be there still, and what is
 * replaced is destroyed with what replaces it, once that is deleted.
 *
 * @throws HoldfastError as {@link Vaults.succeed}
 */
export async function prepareSuccession({ vaults }: Pick<Root, 'vaults'>, staged: string, place: string, origin: string): Promise<void> {
  if (vaults !== undefined && fs.existsSync(staged) && (isKeyStored(staged) || isKeyStored(place))) await vaults.succeed(staged, origin);
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
