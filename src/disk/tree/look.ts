import type fs from 'node:fs';
import { mayBeStub } from './stub.ts';

export interface FileStat {
  /** Bytes. */
  readonly size: number;
  /** Milliseconds since 1970, an integer. */
  readonly lastModified: number;
}

/** What a look at a place tells. */
export type Look = { readonly kind: 'directory' } | FileLook;

export interface FileLook extends FileStat {
  readonly kind: 'file';
  /** Another one when the content is another, but for what is written within a tick of the disk's clock. */
  readonly fingerprint: Fingerprint;
  /** Whether it may be a stub; `manifest` tells. */
  readonly marked: boolean;
}

/** Size, time of the last change and inode of a file, in a form to keep and compare. */
export type Fingerprint = string;

export function fingerprintOf({ size, mtimeMs, ino }: Pick<fs.Stats, 'size' | 'mtimeMs' | 'ino'>): Fingerprint {
  return `${size}-${mtimeMs}-${ino}`;
}

export const DIRECTORY: Look = { kind: 'directory' };

export function fileLook(stats: fs.Stats): FileLook {
  const lastModified = Math.floor(stats.mtimeMs);
  return { kind: 'file', size: stats.size, lastModified, fingerprint: fingerprintOf(stats), marked: mayBeStub(stats) };
}
