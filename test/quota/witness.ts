import fs from 'node:fs';
import { handleCalls } from '../crash/support/fault-layer.ts';
import { makeBucket, Realm, taken, weigh } from './realms.ts';

/*
 * Before and after every system call, and once all is told that a realm has to tell, the account has at least what is on
 * the disk: so it is the same for whoever is killed there.
 */

type Step = (realm: Realm) => unknown;

const steps: Step[] = [
  ({ tree }) => tree.createFile(['a']),
  ({ tree }) => tree.createDirectory(['d']),
  (realm) => realm.put(['d', 'long name '.repeat(30)], 3000),
  (realm) => realm.put(['a'], 70_000),
  (realm) => realm.begin(['a'], 80_000),
  (realm) => realm.abort(),
  (realm) => realm.put(['a'], 2000),
  (realm) => realm.begin(['a'], 4000),
  (realm) => realm.abort(),
  (realm) => realm.resize(['a'], 9000),
  (realm) => realm.resize(['a'], 100),
  ({ tree }) => tree.detach(['a']),
  (realm) => realm.put(['b'], 5000),
  ({ tree }) => tree.move(['b'], ['a']),
  ({ tree }) => tree.remove(['a']),
  ({ tree }) => tree.remove(['d']),
];

/** Where the account has less than the disk while a realm does what it can do; null: nowhere. */
export async function firstViolation(): Promise<string | null> {
  const bucket = makeBucket();
  const realm = new Realm(bucket);
  let found: string | null = null;
  let isLooking = false;
  /** Calls in other threads, which may move meanwhile what is weighed: then it may be met twice. */
  let underWay = 0;
  const look = (where: string): undefined => {
    if (isLooking || underWay > 0 || found !== null) return;
    isLooking = true;
    realm.account.settle();
    if (taken(bucket) < weigh(bucket.path)) found = where;
    isLooking = false;
  };
  try {
    realm.tree.createFile(['first']);
    handleCalls(bucket.path, {
      before: ({ name }) => {
        look(`before ${name}`);
        if (isLater(name)) underWay += 1;
        return undefined;
      },
      after: ({ name }) => {
        if (isLater(name)) underWay -= 1;
        look(`after ${name}`);
      },
    });
    for (const step of steps) await step(realm);
    while (found === null && trashOf(bucket.path) > 0) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    handleCalls(bucket.path, null);
    realm.account.close();
    bucket.remove();
  }
  return found;
}

function isLater(name: string): boolean {
  return name.startsWith('promises.');
}

function trashOf(bucket: string): number {
  return fs.readdirSync(`${bucket}/trash`).length;
}
