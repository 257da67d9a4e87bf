import { Account } from '../disk/quota/account.ts';
import { categories } from '../disk/quota/records.ts';
import { FileTree } from '../disk/tree/file-tree.ts';
import { outsideContexts } from '../runtime/callback-context.ts';
import type { UsageDetails } from '../storage/storage-manager.ts';
import type { EnginePlace } from './bucket-engine.ts';

/** What a bucket's files run on, beside its locks. */
export class BucketFiles {
  readonly tree: FileTree;
  readonly #account: Account;

  /**
   * `session`: the name of its swap folder. `epoch` is asked of the locks that run then: a tree may be in use for longer
   * than those it came with.
   */
  constructor({ root, place, allowance }: EnginePlace, session: string, epoch: () => number) {
    const { durability, shared } = root;
    this.#account = new Account(place, { durability, shared, allowance, detach: outsideContexts });
    const foldsNames = (): boolean => root.open()?.foldsNames ?? false;
    this.tree = new FileTree(place, { durability, foldsNames, epoch, session, ledger: this.#account.ledger(categories.files) });
  }

  /** Bytes in use, of what the account counts. */
  async usage(): Promise<Omit<UsageDetails, 'localStorage'>> {
    const usage = await this.#account.usage();
    return { fileSystem: usage.get(categories.files) ?? 0 };
  }

  /** Bytes that may be in use, given those in use. */
  quota(usage: number): number {
    return this.#account.quota(usage);
  }

  /** Tells others what it has used, and gives back what it had reserved. */
  close(): void {
    this.#account.close();
  }
}
