import fs from 'node:fs';
import path from 'node:path';
import { MapMachine } from '../map/map-machine.ts';
import { AccountMachine } from '../quota/machine.ts';
import { categories, type Category } from '../quota/records.ts';
import { weighBucket } from '../quota/weigh.ts';
import { readNewest } from './read-newest.ts';

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

/** Looks at a bucket, and changes nothing. @throws HoldfastError journal-damaged, unknown-record, disk-failed */
export function surveyBucket(bucket: string, url: string): BucketSurvey {
  const map = readNewest(path.join(bucket, 'local-storage'), () => new MapMachine(url))?.state;
  const amounts = amountsOf(bucket);
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
function amountsOf(bucket: string): ReadonlyMap<Category, number> {
  const account = readNewest(path.join(bucket, 'quota'), () => new AccountMachine());
  if (account !== null && !account.doubtful && account.counting === null && account.countedAt > 0) return account.usage;
  const amounts = new Map<Category, number>();
  for (const { category, bytes } of weighBucket(bucket)) amounts.set(category, (amounts.get(category) ?? 0) + bytes);
  return amounts;
}

/** What is written when something changes. Locks that are taken are in one of these too, so that it may be later. */
const JOURNALS = ['local-storage', 'locks', 'quota', 'channels', 'caches/index', 'indexeddb/locks'];

function lastChangeOf(bucket: string): number {
  let last = 0;
  for (const file of [...JOURNALS.flatMap((journal) => filesIn(path.join(bucket, journal))), ...databaseFiles(path.join(bucket, 'indexeddb', 'databases'))]) {
    last = Math.max(last, fs.lstatSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0);
  }
  return Math.floor(last);
}

function filesIn(directory: string): string[] {
  return namesIn(directory).filter((name) => /^[0-9]+$/.test(name)).map((name) => path.join(directory, name));
}

function databaseFiles(directory: string): string[] {
  return namesIn(directory).flatMap((name) => ['db', 'db-wal'].map((file) => path.join(directory, name, file)));
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch {
    return [];
  }
}
