import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { CHUNK_BYTES } from '../../src/disk/quota/account.ts';
import { sum } from '../../src/disk/quota/records.ts';
import { SyncFile } from '../../src/file-system/methods/sync-file.ts';
import type { SyncAccess } from '../../src/file-system/sync-access.ts';
import { handleCalls, isChange } from '../crash/support/fault-layer.ts';
import type { Call, Fault } from '../crash/support/fault-layer.ts';
import { until } from '../file-system/support.ts';
import { makeBucket, Realm, taken, weigh } from '../quota/realms.ts';
import type { Bucket } from '../quota/realms.ts';
import { isEncrypted } from '../support/sealed.ts';

/*
 * Whatever fails while files take space or give it back: afterwards the account is never less than what is there, and
 * right to the byte once somebody has counted.
 */

let bucket: Bucket;

afterEach(() => {
  handleCalls(bucket.path, null);
  bucket.remove();
});

const MORE_THAN_RESERVED = CHUNK_BYTES + 100_000;

interface Operation {
  readonly prepare?: (realm: Realm) => unknown;
  readonly run: (realm: Realm) => unknown;
}

/** One write by the method that a sync access handle has. */
function writeInPlace(realm: Realm, bytes: number): void {
  const { descriptor, extent } = realm.tree.openForWriting(['f'], false);
  const access = { writable: () => descriptor, extent, written: () => undefined, failure: (error: unknown) => error };
  try {
    new SyncFile(access as unknown as SyncAccess).write(1, new Uint8Array(bytes), undefined);
  } finally {
    fs.closeSync(descriptor);
  }
}

async function writeSwap(realm: Realm, source: 'f' | undefined, bytes: number): Promise<void> {
  const swap = await realm.tree.swap(source && [source]);
  try {
    for (let written = 0; written < bytes; written += 400_000) {
      const before = swap.extent.cover(written + 400_000);
      try {
        fs.writeSync(swap.descriptor, new Uint8Array(400_000), 0, 400_000, written);
      } catch (error) {
        swap.extent.failed(before, error);
        throw error;
      }
    }
    await realm.tree.replace(swap, ['f']);
  } finally {
    swap.discard();
  }
}

async function somethingThere(realm: Realm): Promise<void> {
  realm.tree.createDirectory(['d']);
  for (const name of ['x', 'y', 'z']) await realm.put(['d', name], 1000);
  await realm.put(['f'], 5000);
  await realm.put(['g'], 70_000);
}

const operations: Record<string, Operation> = {
  'the first file of a bucket': { run: (realm) => realm.tree.createFile(['f']) },
  'a write in place beyond what is reserved': { prepare: somethingThere, run: (realm) => writeInPlace(realm, MORE_THAN_RESERVED) },
  'a file that is replaced by a larger one': { prepare: somethingThere, run: (realm) => writeSwap(realm, undefined, MORE_THAN_RESERVED) },
  'a file that grows from a copy': { prepare: somethingThere, run: (realm) => writeSwap(realm, 'f', MORE_THAN_RESERVED) },
  'a file that shrinks in place': { prepare: somethingThere, run: (realm) => realm.resize(['g'], 10) },
  'removals': {
    prepare: somethingThere,
    run: (realm) => {
      for (const name of ['g', 'd', 'f']) realm.tree.remove([name]);
    },
  },
  'moves, one over a file and one to a long name': {
    prepare: somethingThere,
    run: async (realm) => {
      await realm.tree.move(['f'], ['g']);
      await realm.tree.move(['d'], ['long name '.repeat(30)]);
    },
  },
};

interface Strike {
  readonly code: 'ENOSPC' | 'EIO';
  /** Whether the call has had its effect all the same. */
  readonly late: boolean;
  readonly lasts: boolean;
}

const strikes: Strike[] = [
  { code: 'ENOSPC', late: false, lasts: false },
  { code: 'ENOSPC', late: false, lasts: true },
  { code: 'EIO', late: false, lasts: false },
  { code: 'EIO', late: true, lasts: false },
];

function takesSpace(call: Call): boolean {
  return isChange(call) && /write|open|mk|link$|linkSync|copyFile/i.test(call.name) && !call.name.includes('unlink');
}

function faultAt(call: Call, { code, late, lasts }: Strike): Fault | undefined {
  if (lasts && !takesSpace(call)) return undefined;
  return { code, late };
}

/** Runs an operation under a strike at its call of that number, and looks; whether there was such a call. */
async function trial({ prepare, run }: Operation, strike: Strike, number: number): Promise<boolean> {
  bucket = makeBucket();
  const realm = new Realm(bucket, { total: 50_000_000, aside: 0 });
  await prepare?.(realm);
  realm.account.settle();
  let calls = 0;
  let what = '';
  const before = (call: Call): Fault | undefined => {
    const isStruck = strike.lasts ? calls >= number : calls === number;
    if (calls === number) what = call.name;
    calls += 1;
    return isStruck ? faultAt(call, strike) : undefined;
  };
  handleCalls(bucket.path, { before });
  const failed = await Promise.resolve().then(() => run(realm)).then(() => false, () => true);
  handleCalls(bucket.path, null);
  const where = `${JSON.stringify(strike)} at call ${number} (${what}), which ${failed ? 'failed' : 'did not fail'}`;
  if (taken(bucket) < weigh(bucket.path)) expect.fail(`${where}: the account has ${taken(bucket)}, the disk ${weigh(bucket.path)}`);
  realm.account.settle();
  if (taken(bucket) < weigh(bucket.path)) expect.fail(`${where}: the account has ${taken(bucket)}, the disk ${weigh(bucket.path)}, after what was to be told`);
  realm.tree.sweep(() => false);
  await until(() => fs.readdirSync(path.join(bucket.path, 'trash')).length === 0);
  realm.tree.createFile(['afterwards']);
  const counted = sum(await realm.account.verify());
  if (counted !== weigh(bucket.path)) expect.fail(`${where}: counted ${counted} instead of ${weigh(bucket.path)}`);
  realm.account.close();
  bucket.remove();
  return calls > number;
}

// What is written here goes to the disk as it is, below what encrypts contents.
describe.skipIf(isEncrypted).each(strikes)('an account stays right through $code (after the call: $late, from then on: $lasts) at whichever call of', (strike) => {
  test.each(Object.entries(operations))('%s', async (_name, operation) => {
    for (let number = 0; await trial(operation, strike, number); number += 1);
  }, 120_000);
});
