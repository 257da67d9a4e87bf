import assert from 'node:assert';
import { freeOfCharge, OverQuotaError, type Ledger } from '../../../src/disk/quota/ledger.ts';
import { categories } from '../../../src/disk/quota/records.ts';
import { weighBucket } from '../../../src/disk/quota/weigh.ts';
import type { Suspendable } from '../../../src/disk/journal/open-journals.ts';
import type { RecordDatabase } from '../../../src/disk/records/record-database.ts';
import { makeBucket, Realm, type Bucket } from '../../quota/realms.ts';
import { run } from '../support/databases.ts';
import { all, at, content, erase, put, store, until, untilGone, value, withStore, type Checks } from './checks.ts';

/** Of what databases take, as the bucket's account has it, and of its end. */
export const accountChecks: Checks = {};

const databasesOf = (realm: Realm): Ledger => realm.account.ledger(categories.indexedDB);

async function usage(realm: Realm): Promise<number> {
  return (await realm.account.usage()).get(categories.indexedDB) ?? 0;
}

function weightOf(bucket: Bucket): number {
  return [...weighBucket(bucket.path)].filter(({ category }) => category === categories.indexedDB).reduce((sum, { bytes }) => sum + bytes, 0);
}

accountChecks['what databases take is in the account, to the byte, once they rest'] = async () => {
  const bucket = makeBucket();
  const realm = new Realm(bucket);
  const databases = at(bucket.path, { ledger: databasesOf(realm) });
  const { database, store: id } = await withStore(databases);
  const isWhole = async (when: string): Promise<void> => assert.deepStrictEqual([when, await usage(realm)], [when, weightOf(bucket)]);
  await isWhole('after it was made');
  for (let n = 0; n < 50; n++) await store(database, id, n, value(n % 10 === 0 ? 80_000 : 3000));
  await isWhole('after it was written');
  const write = database.write();
  for (let n = 0; n < 500; n++) put(write, id, n, value(5000));
  write.rollback();
  await isWhole('after a transaction was undone');
  const blob = await database.blobs.write(content('x'.repeat(10_000)));
  await isWhole('after a file was written');
  database.blobs.release(blob.id);
  for (let n = 0; n < 50; n++) await erase(database, id, n);
  await untilGone(bucket.path, database, id);
  await isWhole('after most was deleted');
  database.close();
  await isWhole('after it was closed');
  assert.strictEqual(await databases.usage(), weightOf(bucket));
  await databases.delete('db');
  await until(async () => (await usage(realm)) === 0, 'nothing is used');
  realm.account.close();
  bucket.remove();
};

accountChecks['whoever only reads leaves nothing in the account'] = async () => {
  const bucket = makeBucket();
  const realm = new Realm(bucket);
  const { database, store: id } = await withStore(at(bucket.path, { ledger: databasesOf(realm) }));
  await store(database, id, 'a', value(1000));
  const touched: string[] = [];
  const touch = (name: string) => (): number => touched.push(name);
  const ledger: Ledger = { ...freeOfCharge, charge: touch('charge'), refund: touch('refund'), mark: touch('mark'), free: touch('free'), doubt: touch('doubt') };
  for (const end of ['suspend', 'close'] as const) {
    const reader = await at(bucket.path, { ledger }).open('db');
    assert(reader !== null);
    const read = reader.read();
    assert.strictEqual(run(read.count({ ...all, store: id, values: false })), 1);
    read.rollback();
    if (end === 'suspend') (reader as unknown as Suspendable).suspend();
    reader.close();
    assert.deepStrictEqual(touched, []);
  }
  database.close();
  assert.strictEqual(await usage(realm), weightOf(bucket));
  realm.account.close();
  bucket.remove();
};

accountChecks['a quota ends a transaction, and what takes away goes on'] = async () => {
  const bucket = makeBucket();
  const realm = new Realm(bucket, { total: 2_000_000, aside: 0 });
  const { database, store: id } = await withStore(at(bucket.path, { ledger: databasesOf(realm) }));
  await store(database, id, 'first', value(1000));
  await assert.rejects(async () => {
    const write = database.write();
    try {
      for (let n = 0; n < 1000; n++) put(write, id, n, value(4000));
      await write.commit('relaxed');
    } finally {
      write.rollback();
    }
  }, OverQuotaError);
  await assert.rejects(store(database, id, 'large', value(3_000_000)), OverQuotaError);
  await assert.rejects(database.blobs.write(content('x'.repeat(3_000_000))), OverQuotaError);
  assert(weightOf(bucket) < 2_000_000, `${weightOf(bucket)}`);
  const read = database.read();
  assert.strictEqual(run(read.count({ ...all, store: id, values: false })), 1);
  read.rollback();
  await erase(database, id, 'first');
  await store(database, id, 'second', value(1000));
  await untilGone(bucket.path, database, id);
  database.close();
  realm.account.close();
  bucket.remove();
};

/** Writes record after record, each by itself, until there is no room. @returns how often there was */
async function writesThatFit(follow: boolean): Promise<number> {
  const bucket = makeBucket();
  const total = 700_000;
  const realm = new Realm(bucket, { total, aside: 0 });
  const { database, store: id } = await withStore(at(bucket.path, { ledger: databasesOf(realm) }));
  let count = 0;
  await assert.rejects(async () => {
    for (;; count++) {
      const write = database.write(follow);
      try {
        put(write, id, count, value(1000));
        await write.commit('relaxed');
      } finally {
        write.rollback();
      }
    }
  }, OverQuotaError);
  database.endWriting();
  assert.strictEqual(await usage(realm), weightOf(bucket));
  assert(weightOf(bucket) <= total);
  database.close();
  realm.account.close();
  bucket.remove();
  return count;
}

accountChecks['as many transactions have room where one follows the other at once'] = async () => {
  const count = await writesThatFit(false);
  assert(count > 20, `${count}`);
  assert.strictEqual(await writesThatFit(true), count);
};

accountChecks['what transactions that follow one another take is known before others write'] = async () => {
  const bucket = makeBucket();
  const realm = new Realm(bucket);
  const { database, store: id } = await withStore(at(bucket.path, { ledger: databasesOf(realm) }));
  for (let n = 0; n < 20; n++) {
    const write = database.write(n > 0);
    put(write, id, n, value(100));
    await write.commit('relaxed');
    assert(await usage(realm) >= weightOf(bucket));
  }
  database.endWriting();
  assert.strictEqual(await usage(realm), weightOf(bucket));
  database.close();
  realm.account.close();
  bucket.remove();
};

accountChecks['what a log took that is cut is given back once'] = async () => {
  const bucket = makeBucket();
  const realm = new Realm(bucket, { total: 900_000, aside: 0 });
  const { database, store: id } = await withStore(at(bucket.path, { ledger: databasesOf(realm) }));
  for (let n = 0; n < 50; n++) await store(database, id, n % 10, value(4000, [], n));
  const before = weightOf(bucket);
  await assert.rejects(async () => {
    for (let n = 0; ; n++) await store(database, id, n, value(4000));
  }, OverQuotaError);
  if (database.hasSnapshots) await until(() => weightOf(bucket) < before, 'the log is cut');
  for (const n of [1, 2]) {
    await erase(database, id, n);
    assert.strictEqual(await usage(realm), weightOf(bucket));
  }
  database.close();
  realm.account.close();
  bucket.remove();
};

/** What is charged in all, and how often somebody has said that it may not be right. */
class Charges implements Ledger {
  bytes = 0;
  doubts = 0;
  readonly mark = freeOfCharge.mark;
  readonly moved = freeOfCharge.moved;
  charge(bytes: number): void {
    this.bytes += bytes;
  }
  refund(bytes: number): void {
    this.bytes -= bytes;
  }
  free(bytes: number): void {
    this.bytes -= bytes;
  }
  doubt(): void {
    this.doubts += 1;
  }
}

const endings: Record<string, (database: RecordDatabase) => void> = {
  'gives it back': (database) => database.endWriting(),
  'writes once more': (database) => database.write(true).rollback(),
};

for (const [what, end] of Object.entries(endings)) {
  accountChecks[`whose turn was taken away pays for nothing that others wrote, and ${what}`] = async (bucket) => {
    const [own, others] = [new Charges(), new Charges()];
    const { database, store: id } = await withStore(at(bucket, { ledger: own }));
    const other = await at(bucket, { ledger: others }).open('db');
    if (!database.hasSnapshots || other === null) return;
    for (let n = 0; n < 3; n++) {
      const write = database.write(n > 0);
      put(write, id, n, value(100));
      await write.commit('relaxed');
    }
    const before = own.bytes;
    await store(other, id, 'other', value(60_000));
    assert(others.bytes > 60_000);
    end(database);
    assert.deepStrictEqual([own.bytes, own.doubts], [before, 1]);
    await store(database, id, 'next', value(100));
    assert(own.bytes < before + 50_000 && own.doubts === 1, `${own.bytes}, ${before}`);
    for (const each of [database, other]) each.close();
  };
}
