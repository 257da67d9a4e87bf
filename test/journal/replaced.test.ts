import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { onWarning, type StorageWarning } from '../../src/runtime/warning.ts';
import { Journal, type JournalOptions } from './support/journal.ts';
import { bytes, Ledger } from './support/ledger.ts';
import { temporaryDirectory } from './support/place.ts';

/*
 * A journal that is removed, replaced or cut back under a realm that has it open. `distrust()` makes the next use look;
 * that every use looks soon enough by itself is tested at the end.
 */
class Realm {
  readonly ledger = new Ledger();
  readonly journal: Journal<number>;
  readonly session: number;
  replaced = 0;
  #sequence = 0;

  constructor(directory: string, session: number, options: JournalOptions = {}) {
    this.session = session;
    this.journal = new Journal(directory, this.ledger, { ...options, onReplaced: () => (this.replaced += 1) });
  }

  write(text: string): number {
    return this.journal.append(1, this.session, ++this.#sequence, bytes(text));
  }

  read(): string[] {
    this.journal.catchUp();
    return this.ledger.entries;
  }
}

let base: string;
let place: string;
let warnings: StorageWarning[];
let endWarnings: () => void;

beforeEach(() => {
  base = temporaryDirectory();
  place = join(base, 'journal');
  Journal.create(place);
  warnings = [];
  endWarnings = onWarning((warning) => warnings.push(warning));
});

afterEach(() => {
  endWarnings();
  vi.restoreAllMocks();
});

const generation = (): string => join(place, '0');
const remove = (): void => fs.rmSync(place, { recursive: true });
const copyTo = (name: string): void => fs.cpSync(place, join(base, name), { recursive: true });

function restore(name: string): void {
  remove();
  fs.cpSync(join(base, name), place, { recursive: true });
}

/** A realm that has written and read, and is kept from trusting what it has open. */
function usedRealm(options?: JournalOptions): Realm {
  const realm = new Realm(place, 1, options);
  realm.write('old');
  return realm;
}

const ways: [string, (realm: Realm) => void][] = [
  ['open', (realm) => realm.journal.distrust()],
  ['suspended', (realm) => realm.journal.suspend()],
];

describe.each(ways)('a journal that is %s', (_, away) => {
  test('and was removed reads as none, and is told once', () => {
    const realm = usedRealm();
    away(realm);
    remove();
    expect(realm.journal.catchUp()).toBe(false);
    expect(realm.ledger.entries).toEqual([]);
    expect(realm.ledger.restorations.at(-1)).toBe(true);
    expect(realm.journal.catchUp()).toBe(false);
    expect(() => realm.write('lost')).toThrow(/no journal/i);
    expect(realm.replaced).toBe(1);
    expect(warnings).toMatchObject([{ code: 'journal-replaced', path: place }]);
  });

  test('and was made anew goes on with the new one', () => {
    const realm = usedRealm();
    away(realm);
    remove();
    Journal.create(place);
    const other = new Realm(place, 2);
    other.write('new');
    expect(realm.write('also new')).toBe(1);
    expect(other.read()).toEqual(realm.read());
    expect(realm.replaced).toBe(1);
  });

  test('and was moved away does not write there', () => {
    const realm = usedRealm();
    away(realm);
    fs.renameSync(place, join(base, 'away'));
    const before = fs.readFileSync(join(base, 'away', '0'));
    expect(() => realm.write('lost')).toThrow(/no journal/i);
    expect(fs.readFileSync(join(base, 'away', '0'))).toEqual(before);
  });

  test('and was restored from an older copy holds what the copy holds', () => {
    const realm = usedRealm();
    copyTo('backup');
    realm.write('newer');
    away(realm);
    restore('backup');
    const reader = new Realm(place, 2);
    expect(realm.read()).toEqual(reader.read());
    expect(realm.read()).toHaveLength(1);
    realm.write('after');
    expect(reader.read()).toEqual(realm.read());
  });

  test.each([0, 1, 20, 36, 60, 100])('and was cut back in place by %i bytes is read as it is, or is damaged', (cut) => {
    const realm = usedRealm();
    for (let index = 0; index < 3; index += 1) realm.write(`record ${index}`);
    away(realm);
    fs.truncateSync(generation(), fs.statSync(generation()).size - cut);
    const reader = new Realm(place, 2);
    expect(realm.read()).toEqual(reader.read());
    realm.write('after');
    expect(reader.read()).toEqual(realm.read());
    expect(realm.replaced).toBe(cut === 0 ? 0 : 1);
  });

  test('and was cut back, and then grew beyond what was read, is read as it is', () => {
    const realm = usedRealm();
    const kept = fs.statSync(generation()).size;
    realm.write('will be cut');
    away(realm);
    fs.truncateSync(generation(), kept);
    const other = new Realm(place, 2);
    for (let index = 0; index < 9; index += 1) other.write(`record ${index}`);
    expect(realm.read()).toEqual(other.read());
    expect(realm.replaced).toBe(1);
  });

  test('and was overwritten in place by another one is read as it is', () => {
    const realm = usedRealm();
    const elsewhere = join(base, 'elsewhere');
    Journal.create(elsewhere);
    const stranger = new Realm(elsewhere, 3);
    for (let index = 0; index < 9; index += 1) stranger.write(`record ${index}`);
    away(realm);
    fs.writeFileSync(generation(), fs.readFileSync(join(elsewhere, '0')));
    expect(realm.read()).toEqual(stranger.read());
  });

  test.each([0, 2])('and was compacted by others again and again is the same (retaining %i)', (retain) => {
    const realm = usedRealm();
    const other = new Realm(place, 2, { retain });
    for (let round = 0; round < 12; round += 1) {
      for (let times = round % 4; times > 0; times -= 1) {
        other.write(`of the other, ${round}, ${times}`);
        other.journal.compact();
      }
      away(realm);
      realm.write(`own, ${round}`);
      expect(realm.read()).toEqual(other.read());
    }
    expect(realm.replaced + other.replaced).toBe(0);
    expect(warnings).toEqual([]);
  });
});

describe('a writer', () => {
  test('whose file was cut back a moment ago has its record, once', () => {
    const realm = usedRealm();
    const kept = fs.statSync(generation()).size;
    realm.write('x'.repeat(500));
    fs.truncateSync(generation(), kept);
    expect(realm.write('after')).toBe(1);
    const reader = new Realm(place, 2);
    expect(reader.read()).toHaveLength(2);
    expect(realm.read()).toEqual(reader.read());
    expect(warnings).toHaveLength(1);
  });

  test('makes no generation of a state that is not what the journal holds', () => {
    const realm = usedRealm();
    const kept = fs.statSync(generation()).size;
    realm.write('will be cut');
    fs.truncateSync(generation(), kept);
    const other = new Realm(place, 2);
    for (let index = 0; index < 9; index += 1) other.write(`record ${index}`);
    realm.journal.compact();
    expect(new Realm(place, 3).read()).toEqual(other.read());
  });

  test('that is strict makes the new journal durable too', () => {
    const realm = usedRealm({ durability: 'strict' });
    copyTo('backup');
    realm.journal.distrust();
    restore('backup');
    const sync = vi.spyOn(fs, 'fsyncSync');
    realm.write('after');
    // The file's data by fdatasync, and its name.
    expect(sync).toHaveBeenCalledTimes(1);
  });

  test('that shares by lock files finds out at its next use', () => {
    const realm = usedRealm({ exclusively: (section) => section() });
    copyTo('backup');
    realm.write('newer');
    restore('backup');
    realm.write('after');
    expect(new Realm(place, 2).read()).toEqual(realm.read());
    expect(realm.read()).toHaveLength(2);
    remove();
    expect(realm.journal.catchUp()).toBe(false);
  });
});

describe('in place of a generation', () => {
  const planted: Record<string, (outside: string) => void> = {
    'a link to another file': (outside) => fs.symlinkSync(outside, generation()),
    'a link to nothing': () => fs.symlinkSync(join(base, 'nothing'), generation()),
    'a pipe': () => void execFileSync('mkfifo', [generation()]),
    'a directory': () => fs.mkdirSync(generation()),
  };

  test.each(Object.keys(planted))('%s is neither followed nor waited for', (what) => {
    const outside = join(base, 'outside');
    fs.renameSync(generation(), outside);
    const before = fs.readFileSync(outside);
    planted[what]?.(outside);
    expect(() => new Realm(place, 1).write('out')).toThrow(expect.objectContaining({ code: 'journal-damaged' }));
    expect(fs.readFileSync(outside)).toEqual(before);
  });
});

describe('by itself', () => {
  const TRUST_MS = 250;

  test('a realm that is used now and then finds out', async () => {
    const realm = usedRealm();
    remove();
    await expect.poll(() => realm.journal.catchUp(), { interval: 10 }).toBe(false);
  });

  test('a writer that never lets the event loop turn finds out', () => {
    const realm = usedRealm();
    remove();
    const writeOn = (): void => {
      for (const end = performance.now() + 20_000; performance.now() < end; ) realm.write('x');
    };
    expect(writeOn).toThrow(/no journal/i);
  });

  test('a first use after a pause finds out before it acknowledges anything', async () => {
    const realm = usedRealm();
    await delay(2 * TRUST_MS);
    remove();
    expect(() => realm.write('lost')).toThrow(/no journal/i);
  });

  test('it costs two system calls now and then, and no timer while nobody uses it', async () => {
    const realm = usedRealm();
    const [stat, read] = [vi.spyOn(fs, 'statSync'), vi.spyOn(fs, 'readSync')];
    const began = performance.now();
    for (let use = 0; use < 20_000; use += 1) realm.read();
    const looks = Math.ceil((performance.now() - began) / TRUST_MS) + 1;
    expect(stat.mock.calls.length).toBeLessThanOrEqual(looks);
    expect(read.mock.calls.length - 20_000).toBeLessThanOrEqual(looks);
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    realm.read();
    const used = timers();
    await delay(2 * TRUST_MS);
    expect(timers()).toBeLessThanOrEqual(used);
  });
});
