import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ENTRY_BYTES, OverQuotaError } from '../../src/disk/quota/ledger.ts';
import type { Ledger } from '../../src/disk/quota/ledger.ts';
import { categories } from '../../src/disk/quota/records.ts';
import { weighBucket } from '../../src/disk/quota/weigh.ts';
import { makeBucket, Realm, taken } from './realms.ts';
import type { Bucket } from './realms.ts';

let bucket: Bucket;

beforeEach(() => {
  bucket = makeBucket();
});

afterEach(() => {
  bucket.remove();
});

/** A file of so many bytes below `indexeddb/`. */
function write(name: string, bytes: number): void {
  const file = path.join(bucket.path, 'indexeddb', name);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, new Uint8Array(bytes));
}

function databases(realm: Realm): Ledger {
  return realm.account.ledger(categories.indexedDB);
}

function there(): number {
  return [...weighBucket(bucket.path)].reduce((sum, { bytes }) => sum + bytes, 0);
}

test('databases are counted by an account beside files, whoever makes it', async () => {
  write('a/db', 8192);
  write('a/blobs/1', 70_000);
  const realm = new Realm(bucket);
  realm.tree.createFile(['f']);
  const usage = await realm.account.usage();
  expect(usage.get(categories.files)).toBe(ENTRY_BYTES);
  expect(usage.get(categories.indexedDB)).toBe(78_192 + 2 * ENTRY_BYTES);
  expect(taken(bucket)).toBeGreaterThanOrEqual(there());
});

test('databases are charged, given back and counted anew, and files of them are told from what is not data', async () => {
  const realm = new Realm(bucket);
  const ledger = databases(realm);
  const cost = 10_000 + ENTRY_BYTES + 3000;
  ledger.charge(cost + 500);
  write('a/db', 10_000);
  write('a/db-wal', 3000);
  write('a/db-shm', 32_768);
  write('locks/0', 5000);
  write('wake/1', 1);
  ledger.refund(500);
  expect((await realm.account.usage()).get(categories.indexedDB)).toBe(cost);
  expect((await realm.account.verify()).get(categories.indexedDB)).toBe(cost);
  expect(there()).toBe(cost);
  const mark = ledger.mark();
  fs.rmSync(path.join(bucket.path, 'indexeddb'), { recursive: true });
  ledger.free(cost, mark);
  expect((await realm.account.usage()).get(categories.indexedDB)).toBe(0);
});

test('databases and files share one quota', async () => {
  const realm = new Realm(bucket, { total: 20_000, aside: 0 });
  databases(realm).charge(15_000);
  write('a/db', 15_000 - ENTRY_BYTES);
  await expect(realm.put(['f'], 1000)).rejects.toThrow(OverQuotaError);
  expect(() => databases(realm).charge(5001)).toThrow(OverQuotaError);
  databases(realm).charge(5000);
});
