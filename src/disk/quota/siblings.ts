import fs from 'node:fs';
import path from 'node:path';
import { threadIdentity } from '../../runtime/identity.ts';
import { isLink } from '../directories.ts';
import { keysOfNamed } from '../buckets/named-directory.ts';
import { idOfBucket } from '../buckets/spelling.ts';
import type { PlaceKeys } from '../place.ts';
import { AccountJournal } from './account-journal.ts';

/**
 * What the other buckets of an origin take, by their accounts, for the one that may have what they leave of the origin's
 * quota. It is asked before bytes are reserved: buckets that reserve at one moment can, together, exceed the quota by
 * what they reserve then.
 */
export class SiblingAccounts {
  readonly #own: string;
  readonly #default: string;
  readonly #named: string;
  readonly #keys: PlaceKeys | undefined;
  readonly #accounts = new Map<string, AccountJournal>();

  /** `own`: the directory of the bucket that asks; the others': that of the default bucket, and the one that holds the named ones. `keys`: of any of them. */
  constructor(own: string, defaultBucket: string, named: string, keys?: PlaceKeys) {
    this.#own = own;
    this.#default = defaultBucket;
    this.#named = named;
    this.#keys = keys;
  }

  /** Bytes that are used or reserved. Costs some reads for each bucket. */
  taken(): number {
    const others = [this.#default, ...namesIn(this.#named).map((name) => path.join(this.#named, name))].filter((each) => each !== this.#own);
    for (const known of this.#accounts.keys()) if (!others.includes(known)) this.#accounts.delete(known);
    return others.reduce((sum, bucket) => sum + this.#takenBy(bucket), 0);
  }

  #keysOf(bucket: string): PlaceKeys | undefined {
    const name = path.basename(bucket);
    return bucket === this.#default ? this.#keys?.beside(name) : keysOfNamed(this.#keys, name);
  }

  /** One that cannot be read is that of a bucket that is going, or is told of where it is used. */
  #takenBy(bucket: string): number {
    const account = this.#accounts.get(bucket) ?? accountIn(bucket, this.#keysOf(bucket));
    this.#accounts.set(bucket, account);
    try {
      return account.look() ? account.machine.taken : 0;
    } catch {
      return 0;
    } finally {
      account.suspend();
    }
  }
}

function accountIn(path: string, encryption: PlaceKeys | undefined): AccountJournal {
  const place = { path, encryption, ensure: () => undefined };
  return new AccountJournal(place, { identity: threadIdentity, onReplaced: () => undefined });
}

/** Those that have not been given up. */
function namesIn(directory: string): string[] {
  try {
    return isLink(directory) ? [] : fs.readdirSync(directory).filter((name) => idOfBucket(name) === name);
  } catch {
    return [];
  }
}
