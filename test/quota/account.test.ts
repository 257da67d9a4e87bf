import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { CHUNK_BYTES } from '../../src/disk/quota/account.ts';
import { ENTRY_BYTES, OverQuotaError } from '../../src/disk/quota/ledger.ts';
import { categories, sum } from '../../src/disk/quota/records.ts';
import { DiskSpace } from '../../src/disk/root/disk-space.ts';
import { until } from '../file-system/support.ts';
import { allowing, makeBucket, read, Realm, taken, weigh } from './realms.ts';
import type { Bucket } from './realms.ts';

let bucket: Bucket;

beforeEach(() => {
  bucket = makeBucket();
});

afterEach(() => {
  vi.restoreAllMocks();
  bucket.remove();
});

const upTo = (total: number, aside = 0): ConstructorParameters<typeof Realm>[1] => ({ total, aside });
const LONG = 'long name '.repeat(30);

describe('an account', () => {
  test('is made by the first charge, and not by reading, moving or removing', async () => {
    fs.writeFileSync(path.join(bucket.files, 'f'), 'content');
    const realm = new Realm(bucket);
    realm.tree.open(['f']);
    await realm.tree.move(['f'], ['g']);
    realm.tree.remove(['g']);
    expect(sum(await realm.account.usage())).toBe(0);
    expect(fs.existsSync(path.join(bucket.path, 'quota'))).toBe(false);
    realm.tree.createFile(['h']);
    expect(sum(await realm.account.usage())).toBe(ENTRY_BYTES);
    expect(fs.existsSync(path.join(bucket.path, 'quota'))).toBe(true);
  });

  test('knows each of the ways in which files take space and give it back', async () => {
    const realm = new Realm(bucket);
    const { tree } = realm;
    const steps: [what: string, () => unknown][] = [
      ['create', () => tree.createFile(['a'])],
      ['create again', () => tree.createFile(['a'])],
      ['a directory', () => tree.createDirectory(['d'])],
      ['a long name', () => tree.createFile(['d', LONG])],
      ['write', () => realm.put(['a'], 5000)],
      ['replace by more', () => realm.put(['a'], 7000)],
      ['replace by less', () => realm.put(['a'], 10)],
      ['write under a long name', () => realm.put(['d', LONG], 77)],
      ['a copy', () => realm.begin(['a'], 40)],
      ['abort', () => realm.abort()],
      ['a large file', () => realm.put(['large'], 100_000)],
      ['a large copy', () => realm.begin(['large'], 200_000)],
      ['abort it', () => realm.abort()],
      ['grow in place', () => realm.resize(['a'], 3000)],
      ['shrink in place', () => realm.resize(['a'], 200)],
      ['move', () => tree.move(['a'], ['d', 'a'])],
      ['move onto a file', () => tree.move(['large'], ['d', 'a'])],
      ['move to a long name', () => tree.move(['d', 'a'], [LONG])],
      ['move from a long name', () => tree.move([LONG], ['b'])],
      ['a new inode', () => tree.detach(['b'])],
      ['a hard link, written to', () => {
        fs.linkSync(path.join(bucket.files, 'b'), path.join(bucket.path, 'outside'));
        fs.closeSync(tree.openForWriting(['b'], false).descriptor);
      }],
      ['remove a file', () => tree.remove(['b'])],
      ['remove a long name', () => tree.remove(['d', LONG])],
      ['remove an empty directory', () => tree.remove(['d'])],
      ['a file for the trash', () => realm.put(['huge'], 20 * 2 ** 20)],
      ['remove it', () => tree.remove(['huge'])],
      ['a tree', async () => {
        tree.createDirectory(['t']);
        for (const name of ['x', 'y', LONG]) await realm.put(['t', name], 1000);
      }],
      ['remove it, too', () => tree.remove(['t'])],
      ['some more', async () => {
        for (const name of ['x', 'y']) await realm.put([name], 1000);
        tree.createDirectory(['e']);
      }],
      ['empty', () => tree.empty()],
    ];
    for (const [what, step] of steps) {
      await step();
      await until(() => fs.readdirSync(path.join(bucket.path, 'trash')).length === 0);
      // Whoever empties the trash says so a turn later.
      const isRight = async (): Promise<boolean> => sum(await realm.account.usage()) === weigh(bucket.path);
      await until(isRight).catch(() => expect.fail(`${what}: ${taken(bucket)} instead of ${weigh(bucket.path)}`));
    }
    expect(weigh(bucket.path)).toBe(0);
    expect([read(bucket).epoch, read(bucket).doubtful]).toEqual([0, false]);
  });

  test('refuses what would be too much, says what, and takes what fits to the last byte', async () => {
    const realm = new Realm(bucket, upTo(20_000));
    await realm.put(['f'], 1000);
    const error = await realm.put(['g'], 10_809).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OverQuotaError);
    expect(error).toMatchObject({ quota: 20_000, requested: 20_001 });
    expect(weigh(bucket.path)).toBe(ENTRY_BYTES + 1000);
    await realm.put(['g'], 10_808);
    expect(weigh(bucket.path)).toBe(20_000);
    expect(await allowing(() => realm.tree.createFile(['h']))).toBe('over quota');
    realm.tree.remove(['f']);
    realm.tree.createFile(['h']);
  });

  test('leaves what is set aside to what that is for', async () => {
    const realm = new Realm(bucket, upTo(50_000, 10_000));
    await realm.put(['f'], 20_000);
    const error = await realm.put(['g'], 11_809).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ quota: 50_000, requested: 50_001 });
    await realm.put(['g'], 11_808);
    expect(weigh(bucket.path)).toBe(40_000);
  });

  test('keeps a write that is refused from changing anything, in a file that is open as well', () => {
    const realm = new Realm(bucket, upTo(10_000));
    realm.tree.createFile(['f']);
    realm.resize(['f'], 3000);
    expect(() => realm.resize(['f'], 6000)).toThrow(OverQuotaError);
    expect(realm.tree.stat(['f']).size).toBe(3000);
    realm.resize(['f'], 5904);
  });

  test('takes back what the disk did not', () => {
    const realm = new Realm(bucket);
    realm.tree.createFile(['f']);
    const { extent, descriptor } = realm.tree.openForWriting(['f'], false);
    expect(extent.cover(5000)).toBe(0);
    extent.cutShort(1000);
    fs.ftruncateSync(descriptor, 1000);
    fs.closeSync(descriptor);
    realm.account.close();
    expect(taken(bucket)).toBe(weigh(bucket.path));
  });
});

describe('what is reserved', () => {
  test('is a chunk where there is plenty, so that few records are written', () => {
    const realm = new Realm(bucket);
    realm.tree.createFile(['f']);
    const before = fs.statSync(path.join(bucket.path, 'quota', '0')).size;
    for (let size = 4096; size <= CHUNK_BYTES / 2; size += 4096) realm.resize(['f'], size);
    expect(fs.statSync(path.join(bucket.path, 'quota', '0')).size).toBe(before);
    expect(read(bucket).reserved).toBe(ENTRY_BYTES + CHUNK_BYTES);
  });

  test('is no more than a chunk beyond what is used, however long a realm goes on: so much a kill leaves', () => {
    const realm = new Realm(bucket);
    realm.tree.createFile(['f']);
    const sizes = new Set<number>();
    for (let size = 0; size < 20 * CHUNK_BYTES; size += CHUNK_BYTES / 16) {
      realm.resize(['f'], size);
      sizes.add(fs.statSync(path.join(bucket.path, 'quota', '0')).size);
      expect(taken(bucket) - ENTRY_BYTES - size).toBeLessThanOrEqual(CHUNK_BYTES);
    }
    expect(sizes.size).toBeLessThanOrEqual(22);
  });

  test('comes back when nothing is used for a while, without an end', async () => {
    const realm = new Realm(bucket);
    realm.tree.createFile(['f']);
    await until(() => read(bucket).reserved === 0);
    expect(taken(bucket)).toBe(ENTRY_BYTES);
  });

  test('comes back when a realm ends, and its descriptor goes', () => {
    const realm = new Realm(bucket);
    realm.tree.createFile(['f']);
    realm.account.close();
    expect(taken(bucket)).toBe(ENTRY_BYTES);
    expect(openBelow(bucket.path)).toEqual([]);
  });

  test('is less and less towards the end, so that another one gets what is left', async () => {
    const [one, other] = [new Realm(bucket, upTo(2 ** 20)), new Realm(bucket, upTo(2 ** 20))];
    one.tree.createFile(['one']);
    other.tree.createFile(['other']);
    let size = 0;
    while ((await allowing(() => one.resize(['one'], size + 1000))) === 'done') size += 1000;
    one.account.close();
    let rest = 0;
    while ((await allowing(() => other.resize(['other'], rest + 100))) === 'done') rest += 100;
    other.account.close();
    expect(weigh(bucket.path)).toBeLessThanOrEqual(2 ** 20);
    expect(weigh(bucket.path)).toBeGreaterThan(2 ** 20 - 1200);
  });

  test('by a realm that was killed comes back: what it did not use is found by counting', async () => {
    const killed = new Realm(bucket, upTo(2 * 2 ** 20));
    await killed.put(['f'], 1000);
    killed.kill();
    expect(taken(bucket)).toBeGreaterThan(200_000);
    const other = new Realm(bucket, upTo(2 * 2 ** 20));
    await until(async () => sum(await other.account.usage()) === weigh(bucket.path));
    await other.put(['g'], 2 * 2 ** 20 - 3 * ENTRY_BYTES - 1000);
  });

  test('by a realm that was taken for dead and is not, is still paid for', async () => {
    const [paused, other] = [new Realm(bucket), new Realm(bucket)];
    paused.tree.createFile(['f']);
    paused.resize(['f'], 50_000);
    paused.pretendDead(true);
    await other.account.usage();
    paused.pretendDead(false);
    paused.resize(['f'], 90_000);
    expect(taken(bucket)).toBeGreaterThanOrEqual(weigh(bucket.path));
    paused.resize(['f'], 5 * CHUNK_BYTES);
    expect(taken(bucket)).toBeGreaterThanOrEqual(weigh(bucket.path));
    paused.account.close();
    await other.account.verify();
    expect(sum(await other.account.usage())).toBe(weigh(bucket.path));
  });
});

describe('whatever realms do to one bucket', () => {
  const places = [['a'], ['b'], ['d'], ['d', 'x'], ['d', LONG], ['e'], ['e', 'd']];
  const LIMIT = 400_000;

  async function perform(realm: Realm, what: number, at: readonly string[], to: readonly string[], bytes: number): Promise<void> {
    const actions: (() => unknown)[] = [
      () => realm.tree.createFile(at),
      () => realm.tree.createDirectory(at),
      () => realm.put(at, bytes),
      () => realm.resize(at, bytes),
      () => realm.tree.move(at, to),
      () => realm.tree.remove(at),
      () => realm.begin(bytes % 2 === 0 ? at : undefined, bytes),
      () => realm.abort(),
      () => realm.tree.detach(at),
      () => realm.account.settle(),
      () => (bytes % 7 === 0 ? realm.tree.empty() : undefined),
    ];
    await allowing(() => actions[what % actions.length]?.());
  }

  const step = fc.tuple(fc.nat(10), fc.nat(2), fc.nat(places.length - 1), fc.nat(places.length - 1), fc.nat(70_000));

  test('it pays for all of it, is never beyond its quota, and exact in the end', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const here = makeBucket();
        const realms = [0, 1, 2].map(() => new Realm(here, upTo(LIMIT)));
        for (const [what, who, at, to, bytes] of steps) {
          await perform(realms[who] as Realm, what, places[at] ?? [], places[to] ?? [], bytes);
          const onDisk = weigh(here.path);
          expect(onDisk).toBeLessThanOrEqual(LIMIT);
          if (fs.existsSync(path.join(here.path, 'quota'))) expect(taken(here)).toBeGreaterThanOrEqual(onDisk);
        }
        await until(() => fs.readdirSync(path.join(here.path, 'trash')).length === 0);
        await until(async () => (await Promise.all(realms.map(({ account }) => account.usage())), taken(here) === weigh(here.path)));
        for (const { account } of realms) account.close();
        if (fs.existsSync(path.join(here.path, 'quota'))) {
          expect(taken(here)).toBe(weigh(here.path));
          expect([read(here).doubtful, read(here).epoch]).toEqual([false, 0]);
        }
        here.remove();
      }),
      { numRuns: 60 },
    );
  });

  test('with kills and countings amid it, it pays for all of it, and is exact once it was counted in peace', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 60 }), async (steps) => {
        const here = makeBucket();
        const realms = [0, 1, 2].map(() => new Realm(here, upTo(LIMIT)));
        const countings: Promise<unknown>[] = [];
        for (const [what, who, at, to, bytes] of steps) {
          const realm = realms[who] as Realm;
          if (bytes % 11 === 0) {
            realm.kill();
            realms[who] = new Realm(here, upTo(LIMIT));
          } else if (bytes % 11 === 1) countings.push(realm.account.verify());
          else await perform(realm, what, places[at] ?? [], places[to] ?? [], bytes);
          const onDisk = weigh(here.path);
          expect(onDisk).toBeLessThanOrEqual(LIMIT);
          if (fs.existsSync(path.join(here.path, 'quota'))) expect(taken(here)).toBeGreaterThanOrEqual(onDisk);
        }
        await Promise.all(countings);
        await until(() => fs.readdirSync(path.join(here.path, 'trash')).length === 0);
        for (const { account } of realms) account.close();
        const last = new Realm(here);
        expect(sum(await last.account.verify())).toBe(weigh(here.path));
        here.remove();
      }),
      { numRuns: 60 },
    );
  });
});

describe('the disk', () => {
  const BLOCK = 4096;

  /** So many blocks are free beside what is for everybody else, of a disk of four gigabytes. */
  function leave(blocks: number, entries: Partial<fs.StatsFs> = {}): void {
    const real = fs.statfsSync(bucket.path);
    vi.spyOn(fs, 'statfsSync').mockReturnValue({ ...real, bsize: BLOCK, blocks: 500_000, bavail: 25_000 + blocks, files: 0, ffree: 0, ...entries });
  }

  test('is not filled to the brim: a part stays free, whatever the quota', async () => {
    const realm = new Realm(bucket);
    await realm.put(['f'], 1000);
    leave(4);
    realm.account.close();
    const later = new Realm(bucket);
    const error = await later.put(['g'], 4 * BLOCK + 1).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'OverQuotaError', message: expect.stringContaining('reserve') });
    expect(weigh(bucket.path)).toBe(ENTRY_BYTES + 1000);
    expect(await allowing(() => later.put(['g'], 2 * BLOCK))).toBe('done');
    later.tree.remove(['f']);
  });

  test('keeps a part of its places for files, too, if it tells of them', async () => {
    leave(1000, { files: 8000, ffree: 99 });
    expect(await allowing(() => new Realm(bucket).tree.createFile(['f']))).toBe('over quota');
    leave(1000, { files: 8000, ffree: 100 });
    expect(await allowing(() => new Realm(bucket).tree.createFile(['f']))).toBe('done');
  });

  test('has one floor, for maps as for files', () => {
    const space = new DiskSpace(bucket.path);
    leave(4);
    expect([space.hasRoom(4 * BLOCK, 0), space.hasRoom(4 * BLOCK + 1, 0)]).toEqual([true, false]);
    const other = new Realm(bucket);
    expect(() => other.account.ledger(categories.files).charge(4 * BLOCK + 1)).toThrow(OverQuotaError);
    other.account.ledger(categories.files).charge(4 * BLOCK);
  });
});

function openBelow(directory: string): string[] {
  const targets = fs.readdirSync('/proc/self/fd').map((descriptor) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return '';
    }
  });
  return targets.filter((target) => target.startsWith(`${directory}/`));
}
