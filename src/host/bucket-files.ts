import { namedBucketsOf } from '../disk/buckets/named-directory.ts';
import { Account } from '../disk/quota/account.ts';
import type { Allowance } from '../disk/quota/account.ts';
import { categories, type Category } from '../disk/quota/records.ts';
import { SiblingAccounts } from '../disk/quota/siblings.ts';
import { FileTree } from '../disk/tree/file-tree.ts';
import { SharedFiles } from '../disk/tree/shared-files.ts';
import { outsideContexts } from '../runtime/callback-context.ts';
import type { UsageDetails } from '../storage/storage-manager.ts';
import type { BucketEngine, EnginePlace } from './bucket-engine.ts';

/** The account of a bucket, which all that takes space in it shares. */
export function createAccount(bucket: EnginePlace): Account {
  const { root, place, durability } = bucket;
  return new Account(place, { durability, shared: root.shared, allowance: shareOf(bucket), detach: outsideContexts });
}

/** Of the origin's quota a bucket may have what the others leave, as far as its own quota goes. */
function shareOf({ place, defaultPath = place.path, allowance }: EnginePlace): Allowance {
  const { total, aside, origin } = allowance;
  if (total === undefined || origin === undefined) return allowance;
  const siblings = new SiblingAccounts(place.path, defaultPath, namedBucketsOf(defaultPath), place.encryption);
  return {
    total,
    get aside() {
      return Math.max(0, total - Math.max(0, origin - aside - siblings.taken()));
    },
  };
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
export function createTree({ root, place, durability }: EnginePlace, account: Account, session: string, epoch: () => number): FileTree {
  const foldsNames = (): boolean => root.open()?.foldsNames ?? false;
  return new FileTree(place, { durability, foldsNames, epoch, session, ledger: account.ledger(categories.files) });
}

/** What processes hand each other files of a bucket by. The engine goes on running: its session has the files. */
export function createSharedFiles(engine: BucketEngine): SharedFiles {
  engine.pinned = true;
  return new SharedFiles(engine.bucket.place.path, engine.locks.folder, engine.account.ledger(categories.files), engine.bucket.place.encryption?.sealing);
}
