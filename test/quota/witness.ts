import fs from 'node:fs';
import { type Call, handleCalls, pathOf } from '../crash/support/fault-layer.ts';
import { makeBucket, Realm, taken, weigh } from './realms.ts';

/*
 * Before and after every system call on what is weighed, and once all is told that a realm has to tell, the account has at
 * least what is on the disk: so it is the same for whoever is killed there. Amid a call of the account itself, which
 * changes nothing that is weighed, it can be told nothing: nobody comes in between in a realm that goes on.
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
  const look = (when: string, call: Call): void => {
    if (isLooking || underWay > 0 || found !== null || !isOfFiles(bucket.path, call)) return;
    isLooking = true;
    realm.account.settle();
    if (taken(bucket) < weigh(bucket.path)) found = `${when} ${call.name}`;
    isLooking = false;
  };
  try {
    realm.tree.createFile(['first']);
    handleCalls(bucket.path, {
      before: (call) => {
        look('before', call);
        if (isLater(call)) underWay += 1;
        return undefined;
      },
      after: (call) => {
        if (isLater(call)) underWay -= 1;
        look('after', call);
      },
    });
    for (const step of steps) await step(realm);
    while (found === null && (underWay > 0 || trashOf(bucket.path) > 0)) await new Promise((resolve) => setImmediate(resolve));
  } finally {
    handleCalls(bucket.path, null);
    realm.account.close();
    bucket.remove();
  }
  return found;
}

function isLater({ name }: Call): boolean {
  return name.startsWith('promises.');
}

/** Whether a call concerns what is weighed. */
function isOfFiles(bucket: string, { parameters: [first] }: Call): boolean {
  const path = typeof first === 'number' ? pathOf(first) : String(first);
  return path !== undefined && /^\/(files\.|swap|trash)/.test(path.slice(bucket.length));
}

function trashOf(bucket: string): number {
  return fs.readdirSync(`${bucket}/trash`).length;
}
