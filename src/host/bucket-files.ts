import { Account } from '../disk/quota/account.ts';
import { categories, type Category } from '../disk/quota/records.ts';
import { FileTree } from '../disk/tree/file-tree.ts';
import { outsideContexts } from '../runtime/callback-context.ts';
import type { UsageDetails } from '../storage/storage-manager.ts';
import type { EnginePlace } from './bucket-engine.ts';

/** The account of a bucket, which all that takes space in it shares. */
export function createAccount({ root, place, allowance }: EnginePlace): Account {
  const { durability, shared } = root;
  return new Account(place, { durability, shared, allowance, detach: outsideContexts });
}

/** Bytes in use, of what an account counts. */
export async function usageOf(account: Account): Promise<Omit<UsageDetails, 'localStorage'>> {
  const usage = await account.usage();
  const bytesOf = (category: Category): number => usage.get(category) ?? 0;
  return { caches: bytesOf(categories.caches), fileSystem: bytesOf(categories.files), indexedDB: bytesOf(categories.indexedDB) };
}

/**
 * A bucket's files, beside its locks. `session`: the name of its swap folder. `epoch` is asked of the locks that run
 * then: a tree may be in use for longer than those it came with.
 */
export function createTree({ root, place }: EnginePlace, account: Account, session: string, epoch: () => number): FileTree {
  const { durability } = root;
  const foldsNames = (): boolean => root.open()?.foldsNames ?? false;
  return new FileTree(place, { durability, foldsNames, epoch, session, ledger: account.ledger(categories.files) });
}
