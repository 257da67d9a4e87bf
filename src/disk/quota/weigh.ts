import fs from 'node:fs';
import { systemCode } from '../journal/disk-error.ts';
import { FREE_TRASH, isSwapFolder, isTrash, sessionOfResponse } from '../spelling.ts';
import { isLink } from '../directories.ts';
import { childrenOf } from '../tree/entries.ts';
import { ENTRY_BYTES, weightOf } from './ledger.ts';
import { categories } from './records.ts';
import type { Amounts, Category } from './records.ts';

/** What something takes, and who uses it. */
export interface Weight {
  readonly category: Category;
  readonly bytes: number;
}

/**
 * Weighs all that a bucket's account counts: the files of its file system, then its databases and the responses
 * of its caches. Yields after each entry.
 *
 * @throws as {@link weighFiles}
 */
export function* weighBucket(bucket: string): Generator<Weight, void> {
  for (const bytes of weighFiles(bucket)) yield { category: categories.files, bytes };
  for (const bytes of weighDatabases(`${bucket}/indexeddb`)) yield { category: categories.indexedDB, bytes };
  for (const bytes of weighResponses(`${bucket}/caches`)) yield { category: categories.caches, bytes };
}

/** The sum of weights, with every category that this version counts. */
export class Tally {
  readonly #amounts = new Map<Category, number>(Object.values(categories).map((category) => [category, 0]));

  add({ category, bytes }: Weight): void {
    this.#amounts.set(category, (this.#amounts.get(category) ?? 0) + bytes);
  }

  get amounts(): Amounts {
    return this.#amounts;
  }
}

/**
 * Weighs what the files of a bucket take on the disk: each entry of the file system, of `swap/` and of `trash/` costs
 * ENTRY_BYTES, a file its size as well, holes included. Yields after each entry with what that costs.
 *
 * In this order, so that nothing is missed that gets its name or is removed meanwhile: from `swap/` it comes to the
 * files, from there to the trash. What moves among the files may be missed, and whoever moves it says so.
 *
 * @throws the operating system's error, and an Error when the directory of the files got another name meanwhile
 */
export function* weighFiles(bucket: string): Generator<number, void> {
  for (const session of namesIn(`${bucket}/swap`).filter(isSwapFolder)) yield* weighBelow(`${bucket}/swap/${session}`);
  const trees = treesIn(bucket);
  for (const name of trees) yield* weighBelow(`${bucket}/${name}`);
  for (const name of namesIn(`${bucket}/trash`).filter(isTrash)) yield* weighTrash(`${bucket}/trash/${name}`, name);
  if (treesIn(bucket).join() !== trees.join()) throw new Error(`the files of ${bucket} were fenced off while they were counted`);
}

function treesIn(bucket: string): string[] {
  return namesIn(bucket).filter((name) => name.startsWith('files.')).sort();
}

function* weighTrash(path: string, name: string): Generator<number, void> {
  const stats = lookAt(path);
  if (stats === undefined) return;
  if (!name.startsWith(FREE_TRASH)) yield weightOf(stats);
  if (stats.isDirectory()) yield* weighBelow(path);
}

/** What of `indexeddb/` holds no data of an application: the journal of its locks, and their bells. */
const WITHOUT_DATA = new Set(['locks', 'wake']);

/**
 * What databases take, each a directory: every file its size and ENTRY_BYTES. Of what SQLite keeps beside a database, the log costs its
 * size alone, for it comes and goes with whoever has it open, and the index of the log nothing.
 */
function* weighDatabases(directory: string): Generator<number, void> {
  if (isLink(directory)) return;
  const databases = [...childrenOf(directory)].filter((child) => child.isDirectory() && !WITHOUT_DATA.has(child.name));
  for (const { name } of databases) {
    for (const { path, isDirectory } of below(`${directory}/${name}`)) if (!isDirectory) yield weightOfDatabaseFile(path);
  }
}

/** What a file of a database costs; none if it is gone. */
export function weightOfDatabaseFile(path: string): number {
  if (path.endsWith('-shm')) return 0;
  const weight = weightAt(path);
  return /-(?:wal|journal)$/.test(path) ? Math.max(0, weight - ENTRY_BYTES) : weight;
}

/** What the responses of caches take: each its size and ENTRY_BYTES, whether or not it is stored whole by now. */
function* weighResponses(caches: string): Generator<number, void> {
  if (isLink(caches)) return;
  for (const name of namesIn(`${caches}/responses`)) if (sessionOfResponse(name) !== null) yield weightAt(`${caches}/responses/${name}`);
}

/** All that is below a directory, without itself. */
function* weighBelow(directory: string): Generator<number, void> {
  for (const { path, isDirectory } of below(directory)) yield isDirectory ? ENTRY_BYTES : weightAt(path);
}

function* below(directory: string): Generator<{ readonly path: string; readonly isDirectory: boolean }, void> {
  const waiting = isLink(directory) ? [] : [directory];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const child of childrenOf(next)) {
      const path = `${next}/${child.name}`;
      const isDirectory = child.isDirectory();
      if (isDirectory) waiting.push(path);
      yield { path, isDirectory };
    }
  }
}

function weightAt(path: string): number {
  const stats = lookAt(path);
  return stats === undefined ? 0 : weightOf(stats);
}

/** What is at a path; undefined if it is gone, or deeper than the longest path that the system takes. */
function lookAt(path: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemCode(error) === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

/** The names in a directory; none where there is no such directory, but a link. */
function namesIn(directory: string): string[] {
  try {
    return isLink(directory) ? [] : fs.readdirSync(directory);
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemCode(error))) return [];
    throw error;
  }
}
