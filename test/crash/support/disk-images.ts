import fs from 'node:fs';
import path from 'node:path';
import { mulberry32 } from '../../support/mulberry32.ts';
import { resized, written, type DiskHistory, type Entry } from './disk-log.ts';

/*
 * What a disk may hold after a power loss. The model is that of POSIX, which promises less than any file system that
 * the product runs on, with one addition:
 *
 * - fsync and fdatasync of a file keep its content, and not its name; fsync of a directory keeps the names in it, and
 *   not the names of that directory, nor the content of its files.
 * - Of what was not synced, every file and every name is on its own: the content may be as it was at the last sync, or
 *   as of any later moment, or cut anywhere, or have the new size and zeros in the place of any write; a name may have
 *   any of the meanings that it had since the last sync of its directory.
 * - A rename is kept as a whole or not at all, also across directories, and the sync of one of the two keeps it: all
 *   file systems that are supported (ext4, xfs, btrfs, APFS, NTFS) keep a journal of their names or are copy-on-write,
 *   and put a rename into one transaction. A link and an unlink of two calls have nothing to do with each other.
 * - Bytes that were synced and are not written to again stay as they are.
 */

/** Chooses what the disk has kept of what it need not have. */
export interface Fate {
  readonly label: string;
  /** How many of `possible` further meanings a name has gone through. */
  names(possible: number): number;
  /** What is kept of a write that was not synced: its bytes, zeros, a part of it, or not even its size. */
  data(): 'kept' | 'zeros' | 'cut' | 'lost';
}

const fixed: readonly Fate[] = [
  { label: 'nothing that was not synced', names: () => 0, data: () => 'lost' },
  { label: 'all names and no content', names: (possible) => possible, data: () => 'lost' },
  { label: 'all names and zeros', names: (possible) => possible, data: () => 'zeros' },
  { label: 'all content and no names', names: () => 0, data: () => 'kept' },
];

const kinds = ['kept', 'zeros', 'cut', 'lost'] as const;

/** The extremes, and `count` seeded ones in between. */
export function fates(seed: number, count: number): Fate[] {
  return [...fixed, ...Array.from({ length: count }, (_, index) => mixed(seed, index))];
}

/** One of them, which is the same whatever became of the others. */
function mixed(seed: number, index: number): Fate {
  const random = mulberry32(Math.imul(seed, 2 ** 16) + index);
  return {
    label: `seed ${seed}, number ${index}`,
    names: (possible) => Math.floor(random() * (possible + 1)),
    data: () => kinds[Math.floor(random() * kinds.length)] ?? 'kept',
  };
}

/** Paths with their content; null for directories. */
export type Image = ReadonlyMap<string, Buffer | null>;

interface NameEntry {
  readonly index: number;
  readonly inode: number | null;
  /** The number of a rename's other half. */
  readonly half: number | undefined;
}

/** The disk after a power loss that came right after `length` entries. */
export function imageOf({ entries, directories }: DiskHistory, length: number, fate: Fate): Image {
  const past = entries.slice(0, length);
  const lastSync = new Map<number, number>();
  for (const [index, entry] of past.entries()) if (entry.type === 'sync') lastSync.set(entry.inode, index);
  const names = keptNames(past, lastSync, fate);
  const image = new Map<string, Buffer | null>();
  const show = (directory: number, above: string): void => {
    for (const [name, inode] of names.get(directory) ?? []) {
      const isDirectory = directories.includes(inode);
      image.set(`${above}${name}`, isDirectory ? null : contentOf(inode, past, lastSync.get(inode) ?? -1, fate));
      if (isDirectory) show(inode, `${above}${name}/`);
    }
  };
  show(0, '');
  return image;
}

function keptNames(past: readonly Entry[], lastSync: ReadonlyMap<number, number>, fate: Fate): Map<number, [string, number][]> {
  const histories = new Map<string, NameEntry[]>();
  const historyOf = new Map<number, NameEntry[]>();
  for (const [index, entry] of past.entries()) {
    if (entry.type !== 'name') continue;
    const key = `${entry.directory}/${entry.name}`;
    const history = histories.get(key) ?? [];
    histories.set(key, history);
    history.push({ index, inode: entry.inode, half: entry.half });
    historyOf.set(index, history);
  }
  const kept = new Map<NameEntry[], number>();
  for (const [key, history] of histories) {
    const synced = lastSync.get(Number.parseInt(key, 10)) ?? -1;
    const least = history.filter(({ index }) => index < synced).length;
    kept.set(history, least + fate.names(history.length - least));
  }
  keepRenamesWhole(histories, historyOf, kept);
  const result = new Map<number, [string, number][]>();
  for (const [key, history] of histories) {
    const inode = history[(kept.get(history) ?? 0) - 1]?.inode ?? null;
    if (inode === null) continue;
    const directory = Number.parseInt(key, 10);
    result.set(directory, [...(result.get(directory) ?? []), [key.slice(key.indexOf('/') + 1), inode]]);
  }
  return result;
}

/** Keeps the other half of what is kept of each rename, and so all that the name there has meant before. */
function keepRenamesWhole(histories: ReadonlyMap<string, NameEntry[]>, historyOf: ReadonlyMap<number, NameEntry[]>, kept: Map<NameEntry[], number>): void {
  for (let settled = false; !settled; ) {
    settled = true;
    for (const history of histories.values()) {
      for (const { half } of history.slice(0, kept.get(history))) {
        const other = half === undefined ? undefined : historyOf.get(half);
        const least = 1 + (other?.findIndex(({ index }) => index === half) ?? -1);
        if (other === undefined || (kept.get(other) ?? 0) >= least) continue;
        kept.set(other, least);
        settled = false;
      }
    }
  }
}

function contentOf(inode: number, past: readonly Entry[], synced: number, fate: Fate): Buffer {
  let content: Buffer = Buffer.alloc(0);
  for (const [index, entry] of past.entries()) {
    if (entry.type === 'size' && entry.inode === inode && (index < synced || fate.data() !== 'lost')) content = resized(content, entry.size);
    if (entry.type !== 'data' || entry.inode !== inode) continue;
    const bytes = Buffer.from(entry.base64, 'base64');
    content = index < synced ? written(content, entry.at, bytes) : survived(content, entry.at, bytes, fate);
  }
  return content;
}

function survived(content: Buffer, at: number, bytes: Buffer, fate: Fate): Buffer {
  const kind = fate.data();
  if (kind === 'lost') return content;
  if (kind === 'kept') return written(content, at, bytes);
  if (kind === 'cut') return written(content, at, bytes.subarray(0, bytes.length >> 1));
  return written(content, at, Buffer.alloc(bytes.length));
}

/** Makes a directory of an image. */
export function restore(image: Image, directory: string): void {
  fs.mkdirSync(directory, { recursive: true });
  for (const [name, content] of image) {
    if (content === null) fs.mkdirSync(path.join(directory, name));
    else fs.writeFileSync(path.join(directory, name), content);
  }
}
