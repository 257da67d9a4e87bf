import fs from 'node:fs';
import type { ListedFile } from './listing.ts';

/** What tells one state of a file from another, unless both are of one tick of the disk's clock. */
export interface FileFacts {
  readonly size: number;
  /** Nanoseconds since 1970. */
  readonly mtime: string;
  readonly ino: string;
}

/** Times of disks are as coarse as this, in milliseconds, or finer; and clocks of disks differ from ours by less. */
const COARSENESS_MS = 2_000;

/** A plain file's facts; null where there is none, or something else. @throws the operating system's error */
export function factsOf(file: string): (FileFacts & { readonly isStub: boolean }) | null {
  const stats = fs.lstatSync(file, { bigint: true, throwIfNoEntry: false });
  return stats?.isFile() === true ? factsIn(stats) : null;
}

export function factsIn({ size, mtimeNs, ino, mode }: fs.BigIntStats): FileFacts & { readonly isStub: boolean } {
  return { size: Number(size), mtime: String(mtimeNs), ino: String(ino), isStub: (mode & 0o100n) !== 0n };
}

export function areSame(a: FileFacts, b: FileFacts): boolean {
  return a.size === b.size && a.mtime === b.mtime && a.ino === b.ino;
}

/** Whether a file with these facts may be written to after `now`, in milliseconds since 1970, and have them still. */
export function isFresh({ mtime }: FileFacts, now: number): boolean {
  return Number(BigInt(mtime) / 1_000_000n) > now - COARSENESS_MS;
}

/** What a backup before has of a file, if that is what it is now. */
export function keptOf(previous: ListedFile | undefined, facts: FileFacts): ListedFile | null {
  return previous !== undefined && !previous.isFresh && areSame(previous, facts) ? previous : null;
}
