import fs from 'node:fs';
import path from 'node:path';
import { MapMachine } from '../map/map-machine.ts';
import { AccountMachine } from '../quota/machine.ts';
import { categories, type Category } from '../quota/records.ts';
import { weighBucket } from '../quota/weigh.ts';
import { generationPath, listGenerations } from '../journal/generation-file.ts';
import type { PlaceKeys } from '../place.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { readNewest } from './read-newest.ts';
import { lastChangeOf } from './trace.ts';

/** Bytes that each kind of storage takes. */
export interface KindBytes {
  readonly caches: number;
  readonly fileSystem: number;
  readonly indexedDB: number;
  readonly localStorage: number;
}

/** What a bucket has, as of one moment for each kind. */
export interface BucketSurvey {
  readonly bytes: KindBytes;
  /** Of localStorage. */
  readonly items: number;
  /** When anything of it was written or locked last, in milliseconds since 1970. */
  readonly changed: number;
}

/**
 * Looks at a bucket, and changes nothing.
 *
 * @param keys - where it is encrypted. Without them nobody knows how many items there are, and what they take is taken
 * to be what their journal does.
 * @throws HoldfastError journal-damaged, unknown-record, disk-failed
 */
export function surveyBucket(bucket: string, url: string, keys?: PlaceKeys): BucketSurvey {
  const journal = path.join(bucket, 'local-storage');
  const map = unlessSealed(() => readNewest(journal, () => new MapMachine(url), keys?.journal('local-storage') ?? null)?.state, { bytes: sizeOf(journal), size: 0 });
  const amounts = amountsOf(bucket, keys);
  const bytesOf = (category: Category): number => amounts.get(category) ?? 0;
  const bytes = {
    caches: bytesOf(categories.caches),
    fileSystem: bytesOf(categories.files),
    indexedDB: bytesOf(categories.indexedDB),
    localStorage: map?.bytes ?? 0,
  };
  return { bytes, items: map?.size ?? 0, changed: lastChangeOf(bucket) };
}

/** By the account; where there is none, or one that says that it may be wrong, by weighing all. */
function amountsOf(bucket: string, keys: PlaceKeys | undefined): ReadonlyMap<Category, number> {
  const account = unlessSealed(() => readNewest(path.join(bucket, 'quota'), () => new AccountMachine(), keys?.journal('quota') ?? null), null);
  if (account !== null && !account.doubtful && account.counting === null && account.countedAt > 0) return account.usage;
  const amounts = new Map<Category, number>();
  for (const { category, bytes } of weighBucket(bucket)) amounts.set(category, (amounts.get(category) ?? 0) + bytes);
  return amounts;
}

/** What is read, or instead of what nobody here has the key of. */
export function unlessSealed<T, Instead>(read: () => T, instead: Instead): T | Instead {
  try {
    return read();
  } catch (error) {
    if (error instanceof HoldfastError && error.code.startsWith('key-')) return instead;
    throw error;
  }
}

/** Of a journal's newest generation. */
export function sizeOf(journal: string): number {
  const newest = listGenerations(journal)?.at(-1);
  return newest === undefined ? 0 : (fs.lstatSync(generationPath(journal, newest), { throwIfNoEntry: false })?.size ?? 0);
}
