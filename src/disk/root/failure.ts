import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HoldfastErrorCode } from '../../runtime/holdfast-error.ts';
import { CHOOSE_ANOTHER, systemCode } from '../journal/disk-error.ts';

const reasons: Readonly<Record<string, readonly [HoldfastErrorCode, string]>> = {
  EACCES: ['root-read-only', 'this process may not write there'],
  EPERM: ['root-read-only', 'this process may not write there'],
  EROFS: ['root-read-only', 'its file system is read-only'],
  ENOTDIR: ['root-unusable', 'a part of its path is a file, not a directory'],
  EEXIST: ['root-unusable', 'its path is a file, not a directory'],
  ELOOP: ['root-unusable', 'its path goes in circles through symbolic links'],
  ENAMETOOLONG: ['root-unusable', 'its path is too long'],
  ENOSPC: ['disk-full', 'the disk is full'],
  EDQUOT: ['disk-full', 'the disk quota is used up'],
};

/** An error of the operating system, met while `doing` something to the root at `path`, as the host's own. */
export function rootFailure(doing: string, path: string, cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  const code = systemCode(cause);
  const [holdfastCode, reason] = reasons[code] ?? ['disk-failed', `the operating system answered '${code}'`];
  const advice = holdfastCode === 'root-read-only' ? ` ${CHOOSE_ANOTHER}` : '';
  return new HoldfastError(holdfastCode, `Cannot ${doing} the root ${path}: ${reason}.${advice}`, { cause });
}

/** The same while reading: what may not be read is unusable rather than read-only. */
export function rootReadFailure(path: string, cause: unknown): HoldfastError {
  const code = systemCode(cause);
  if (code !== 'EACCES' && code !== 'EPERM') return rootFailure('read', path, cause);
  return new HoldfastError('root-unusable', `Cannot read the root ${path}: this process may not read it.`, { cause });
}
