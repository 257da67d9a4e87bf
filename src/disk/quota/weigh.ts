import fs from 'node:fs';
import { systemCode } from '../journal/disk-error.ts';
import { FREE_TRASH, isSwapFolder, isTrash } from '../spelling.ts';
import { isLink } from '../directories.ts';
import { childrenOf } from '../tree/entries.ts';
import { ENTRY_BYTES, weightOf } from './ledger.ts';

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

/** All that is below a directory, without itself. */
function* weighBelow(directory: string): Generator<number, void> {
  const waiting = isLink(directory) ? [] : [directory];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const child of childrenOf(next)) {
      const path = `${next}/${child.name}`;
      if (child.isDirectory()) waiting.push(path);
      yield child.isDirectory() ? ENTRY_BYTES : weightAt(path);
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
