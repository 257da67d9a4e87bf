import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CHUNK_BYTES } from '../../src/disk/quota/account.ts';
import { NO_ACCOUNT } from '../../src/disk/quota/ledger.ts';
import { categories, sum } from '../../src/disk/quota/records.ts';
import { onWarning } from '../../src/runtime/warning.ts';
import { until } from '../file-system/support.ts';
import { makeBucket, read, Realm, taken, weigh } from './realms.ts';
import type { Bucket } from './realms.ts';

let bucket: Bucket;

beforeEach(() => {
  bucket = makeBucket();
});

afterEach(() => {
  bucket.remove();
});

describe('an account that cannot be right', () => {
  function plant(entries: number): void {
    for (let index = 0; index < entries; index += 1) fs.writeFileSync(path.join(bucket.files, String(index)), 'x'.repeat(index % 10));
  }

  test.each([10, 2000])('because there was none before, with %i files: they are counted', async (entries) => {
    plant(entries);
    const realm = new Realm(bucket);
    realm.tree.createFile(['f']);
    expect(sum(await realm.account.usage())).toBe(weigh(bucket.path));
  });

  test('because there was none before, is counted in many turns', async () => {
    plant(3000);
    const realm = new Realm(bucket);
    realm.tree.createFile(['f']);
    let turns = 0;
    const counted = realm.account.usage().then(() => true);
    const turn = (): Promise<false> => new Promise((resolve) => void setImmediate(() => resolve(false)));
    while (!(await Promise.race([counted, turn()]))) turns += 1;
    expect(turns).toBeGreaterThan(5);
  });

  test.each(['damaged', 'empty', 'gone'])('because it is %s, is made anew', async (what) => {
    const first = new Realm(bucket);
    await first.put(['f'], 1000);
    first.account.close();
    const generation = path.join(bucket.path, 'quota', '0');
    if (what === 'damaged') fs.writeFileSync(generation, 'x'.repeat(200));
    if (what === 'empty') fs.rmSync(generation);
    if (what === 'gone') fs.rmSync(path.join(bucket.path, 'quota'), { recursive: true });
    const second = new Realm(bucket);
    await second.put(['g'], 2000);
    second.account.close();
    expect(taken(bucket)).toBe(weigh(bucket.path));
    expect(fs.readdirSync(bucket.path).filter((name) => name.startsWith('.new'))).toEqual([]);
  });

  test('because it was gone when what was used was to be told, is counted again', async () => {
    const [one, two] = [new Realm(bucket), new Realm(bucket)];
    await one.put(['f'], 1000);
    fs.rmSync(path.join(bucket.path, 'quota'), { recursive: true });
    // Until then it does not look whether the journal is still there.
    await new Promise((resolve) => setTimeout(resolve, 300));
    one.account.settle();
    await two.put(['g'], 1000);
    await one.put(['h'], CHUNK_BYTES / 2);
    await until(async () => (await one.account.usage()) !== null && sum(await two.account.usage()) === weigh(bucket.path));
  });

  test('because it was replaced amid its use, is counted again', async () => {
    const warnings: string[] = [];
    const stop = onWarning(({ code }) => warnings.push(code) > 0);
    const [one, two] = [new Realm(bucket), new Realm(bucket)];
    await one.put(['f'], 1000);
    fs.rmSync(path.join(bucket.path, 'quota'), { recursive: true });
    await two.put(['g'], 1000);
    // Out of what was reserved in the account that is no more.
    await one.put(['h'], CHUNK_BYTES / 2);
    // It looks now and then only whether a journal is still the same.
    await until(async () => (await one.account.usage()) !== null && warnings.length > 0);
    await until(async () => sum(await two.account.usage()) === weigh(bucket.path));
    stop();
    expect(warnings).toEqual(['journal-replaced']);
  });

  test('because its root was removed after it was closed, says nothing', async () => {
    const warnings: string[] = [];
    const stop = onWarning(({ code }) => warnings.push(code) > 0);
    const { account, tree } = new Realm(bucket);
    tree.createFile(['f']);
    const ledger = account.ledger(categories.files);
    account.close();
    // As of what is still being deleted.
    const mark = ledger.mark();
    ledger.free(1, mark);
    fs.rmSync(bucket.path, { recursive: true });
    ledger.free(1, mark);
    expect(ledger.mark()).toBe(NO_ACCOUNT);
    account.settle();
    stop();
    expect(warnings).toEqual([]);
  });

  test('because somebody has changed what is there, is right after verify()', async () => {
    const realm = new Realm(bucket);
    await realm.put(['f'], 1000);
    plant(100);
    expect(sum(await realm.account.verify())).toBe(weigh(bucket.path));
    fs.rmSync(path.join(bucket.files, 'f'));
    expect(sum(await realm.account.verify())).toBe(weigh(bucket.path));
  });

  test('because the machine has been started since, is counted again', async () => {
    const realm = new Realm(bucket);
    await realm.put(['f'], 1000);
    realm.account.close();
    plant(3);
    const later = new Realm(bucket, undefined, 'another boot');
    later.tree.createFile(['g']);
    await until(async () => sum(await later.account.usage()) === weigh(bucket.path));
    expect(read(bucket).boots).toEqual(['boot', 'another boot']);
  });

  test('because something moved across a counting, is counted again', async () => {
    plant(3000);
    const [one, other] = [new Realm(bucket), new Realm(bucket)];
    one.tree.createDirectory(['from']);
    one.tree.createDirectory(['to']);
    for (let index = 0; index < 500; index += 1) one.tree.createFile(['from', String(index)]);
    await one.account.usage();
    const counting = other.account.verify();
    await one.tree.move(['from'], ['to', 'from']);
    await counting;
    one.account.settle();
    expect(read(bucket).doubtful).toBe(true);
    await until(async () => sum(await other.account.usage()) === weigh(bucket.path) && !read(bucket).doubtful);
  });

  test('because nobody knows what two who share a file have done to it, is counted at the next start', async () => {
    const realm = new Realm(bucket);
    await realm.put(['f'], 10_000);
    const [one, two] = [realm.tree.openForWriting(['f'], true), realm.tree.openForWriting(['f'], true)];
    two.extent.cover(20_000);
    fs.ftruncateSync(two.descriptor, 20_000);
    const mark = one.extent.mark();
    one.extent.cover(1);
    fs.ftruncateSync(one.descriptor, 1);
    one.extent.shrunk(1, mark);
    for (const { descriptor } of [one, two]) fs.closeSync(descriptor);
    realm.account.close();
    // Too much, at worst, until then.
    expect(sum(read(bucket).usage)).toBeGreaterThanOrEqual(weigh(bucket.path));
    expect(read(bucket).doubtful).toBe(true);
    const later = new Realm(bucket);
    await until(async () => sum(await later.account.usage()) === weigh(bucket.path));
  });
});
